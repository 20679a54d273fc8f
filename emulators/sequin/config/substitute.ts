/** The process environment, as an option. */
export type Environment = Record<string, string | undefined>;

const REFERENCE = /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?-)([^}]*))?\}|\$([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * Replaces `${VAR}`, `${VAR:-default}` and `$VAR` in every string of a parsed YAML document except those under a `code`
 * key, like Sequin's CLI (cli/config/config.go). A replaced value stays a string, and an unset variable without a
 * default becomes "". `missing` receives the name of each such variable.
 */
export function substitute(value: unknown, env: Environment, missing: (name: string) => void): unknown {
  if (typeof value === "string") return substituteText(value, env, missing);
  if (Array.isArray(value)) return value.map((item) => substitute(item, env, missing));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === "code" ? member : substitute(member, env, missing),
    ]),
  );
}

function substituteText(text: string, env: Environment, missing: (name: string) => void): string {
  return text.replace(
    REFERENCE,
    (whole: string, braced?: string, operator?: string, fallback?: string, bare?: string) => {
      const name = braced ?? bare;
      if (name === undefined) return whole.slice(1);
      const set = env[name];
      if (set !== undefined && (set !== "" || operator !== ":-")) return set;
      if (fallback !== undefined) return fallback;
      missing(name);
      return "";
    },
  );
}
