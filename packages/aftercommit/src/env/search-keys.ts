/** A key that a server searches with. One that is bound to a tenant finds only that tenant's rows. */
export type SearchKey = { key: string; tenant: string | undefined };

const LEAST_CHARACTERS = 32;
// What a bearer token may have (RFC 6750), and what separates it from its tenant.
const ENTRY = /^(?<key>[A-Za-z0-9._~+/-]+=*)(?:@(?<tenant>.*))?$/;

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseEntry(text: string): SearchKey | string {
  const { key, tenant } = ENTRY.exec(text)?.groups ?? {};
  if (key === undefined) return "has a character that a bearer token cannot have";
  if (key.length < LEAST_CHARACTERS)
    return `is shorter than ${LEAST_CHARACTERS} characters, so it could be guessed`;
  if (tenant === undefined) return { key, tenant };
  const name = decoded(tenant);
  return name ? { key, tenant: name } : "has no tenant after its @, or one that is not percent-encoded";
}

/**
 * Reads SEARCH_API_KEYS: keys separated by commas, each with an optional `@tenant`, percent-encoded. One malformed key
 * makes all of them invalid. `problem` says what is wrong without quoting a key.
 */
export function parseSearchKeys(text: string): { keys: SearchKey[]; problem?: string } {
  const keys: SearchKey[] = [];
  for (const [index, entry] of text.split(",").entries()) {
    const parsed = parseEntry(entry.trim());
    if (typeof parsed === "string") return { keys: [], problem: `key ${index + 1} ${parsed}` };
    if (keys.some(({ key }) => key === parsed.key))
      return { keys: [], problem: `key ${index + 1} is there twice` };
    keys.push(parsed);
  }
  return { keys };
}
