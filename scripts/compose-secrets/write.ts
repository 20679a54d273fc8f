import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type VariableName, variables } from "../../packages/aftercommit/src/env/variables.ts";

// Without characters that have a meaning in a URL or in compose.
const hex = () => randomBytes(32).toString("hex");
const base64 = (bytes: number) => randomBytes(bytes).toString("base64");
const ed25519 = () =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");

const RANDOM: Readonly<Record<string, () => string>> = {
  POSTGRES_PASSWORD: hex,
  DATABASE_PASSWORD: hex,
  REDIS_PASSWORD: hex,
  SEQUIN_DATABASE_PASSWORD: hex,
  // Sequin's own: docs/reference/configuration in its repository.
  SEQUIN_SECRET_KEY_BASE: () => base64(48),
  SEQUIN_VAULT_KEY: () => base64(32),
  SEQUIN_ADMIN_PASSWORD: hex,
  SEQUIN_API_TOKEN: hex,
  SEQUIN_WEBHOOK_SECRET: hex,
  DASHBOARD_PASSWORD: hex,
  USER_DELETION_WEBHOOK_SECRET: () => `whsec_${base64(32)}`,
  DELETION_RECEIPT_KEY: ed25519,
};

/** What cannot be generated: keys and addresses of your services. */
const YOURS = [
  "TRIGGER_SECRET_KEY",
  "TRIGGER_PROJECT_REF",
  "TRIGGER_API_URL",
  "TRIGGER_ACCESS_TOKEN",
  "OPENAI_API_KEY",
  "USER_DELETION_WEBHOOK_URLS",
  "SMTP_URL",
  "MAIL_FROM",
] as const satisfies readonly VariableName[];

function contents(): string {
  const random = Object.entries(RANDOM).map(([name, make]) => `${name}=${make()}`);
  const yours = YOURS.flatMap((name) => ["", `# ${variables[name].where}`, `# ${name}=`]);
  return [
    "# What compose.yaml needs. Made at random, once; change one as docs/operations.md says.",
    ...random,
    "",
    "# Yours to fill in: take the mark away where you set one.",
    ...yours.slice(1),
    "",
  ].join("\n");
}

/**
 * Writes random secrets to a file that only its owner can read, and names the variables that are left to fill in.
 * Rejects if the file exists, because running services use the secrets in it.
 */
export async function writeComposeSecrets(
  file: string,
): Promise<{ yours: { name: string; where: string }[] }> {
  try {
    await writeFile(file, contents(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw new Error(`${file} is there already and stays as it is: what runs uses the secrets in it`);
    throw error;
  }
  return { yours: YOURS.map((name) => ({ name, where: variables[name].where })) };
}
