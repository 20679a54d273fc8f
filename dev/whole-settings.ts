import { isSet, type Variables } from "@aftercommit/local-stack/emulators.ts";
import type { Part } from "@aftercommit/local-stack/settings.ts";
import { type VariableName, variables } from "../packages/aftercommit/src/env/variables.ts";

type Need = { name: VariableName; because: string };

/** Each variable that is missing from a half-configured service, and the variable that requires it. */
export function missingHalves(env: Variables, parts: readonly Part[], captures: boolean): Need[] {
  const needs: Need[] = [];
  const need = (name: VariableName, when: boolean, because: string) => {
    if (when && !isSet(env, name)) needs.push({ name, because });
  };
  /** The first of these that is set: it means a real service that the deciding variable does not name yet. */
  const oneOf = (...names: string[]) => names.find((name) => isSet(env, name));

  need("TRIGGER_PROJECT_REF", !parts.includes("trigger"), "TRIGGER_SECRET_KEY is set");
  const trigger = oneOf("TRIGGER_API_URL", "TRIGGER_PROJECT_REF", "TRIGGER_ACCESS_TOKEN");
  need("TRIGGER_SECRET_KEY", trigger !== undefined, `${trigger} is set`);
  const openai = oneOf("OPENAI_BASE_URL", ...(parts.includes("openai") ? ["EMBEDDING_MODEL"] : []));
  need("OPENAI_API_KEY", openai !== undefined, `${openai} is set`);
  need("MAIL_FROM", !parts.includes("mail"), "SMTP_URL is set");
  need(
    "SMTP_URL",
    captures && !parts.includes("postgres"),
    "LOCAL_CAPTURE is on beside DATABASE_URL, and a confirmation caught here would count as sent there",
  );
  const told = env.USER_DELETION_WEBHOOK_URLS?.trim() ?? "";
  need(
    "USER_DELETION_WEBHOOK_SECRET",
    told !== "" && told !== "none",
    "USER_DELETION_WEBHOOK_URLS is set, and these systems know it",
  );
  need(
    "USER_DELETION_WEBHOOK_URLS",
    !parts.includes("postgres"),
    "DATABASE_URL is set, and a user deleted there is deleted in these systems; none if there are none",
  );
  return needs;
}

/** With another key, the app here would trigger runs of the code deployed there, for rows of this database. */
const isDeployedKey = (key: string | undefined) => /^\s*tr_(?!dev_)[a-z]+_/.test(key ?? "");

/**
 * Rejects a service that is half configured or not meant for development, before a real service receives a local
 * secret, or the other way round.
 */
export function requireWholeSettings(env: Variables, parts: readonly Part[], captures: boolean): void {
  const lines = missingHalves(env, parts, captures).map(
    ({ name, because }) => `\n  ${name} is not set, but ${because} (${variables[name].where})`,
  );
  if (isDeployedKey(env.TRIGGER_SECRET_KEY))
    lines.push(
      "\n  TRIGGER_SECRET_KEY is that of a deployment; npm run dev takes the one of Development, tr_dev_…",
    );
  if (lines.length > 0) throw new Error(`Nothing was started:${lines.join("")}`);
}
