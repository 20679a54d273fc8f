import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { GeneratedSecrets } from "./emulators.ts";

const secret = z.string().min(1);
const stored = z
  .object({ sequinWebhook: secret, userDeletionWebhook: secret, deletionReceipt: secret })
  .partial();

const newReceiptKey = () =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");

/** The secrets of this data folder, generated once. A folder of an earlier version gets the missing ones. */
export function generatedSecrets(dataDir: string): GeneratedSecrets {
  const file = join(dataDir, "secrets.json");
  const kept = existsSync(file) ? stored.parse(JSON.parse(readFileSync(file, "utf8"))) : {};
  const secrets = {
    sequinWebhook: randomBytes(32).toString("base64url"),
    userDeletionWebhook: `whsec_${randomBytes(32).toString("base64")}`,
    deletionReceipt: newReceiptKey(),
    ...kept,
  };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
