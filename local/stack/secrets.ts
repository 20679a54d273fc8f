import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { GeneratedSecrets } from "./stand-ins.ts";

const stored = z.object({ sequinWebhook: z.string().min(1), userDeletionWebhook: z.string().min(1) });

/** The secrets of this data folder, made once: 256 random bits each. */
export function generatedSecrets(dataDir: string): GeneratedSecrets {
  const file = join(dataDir, "secrets.json");
  if (existsSync(file)) return stored.parse(JSON.parse(readFileSync(file, "utf8")));
  const secrets = {
    sequinWebhook: randomBytes(32).toString("base64url"),
    userDeletionWebhook: `whsec_${randomBytes(32).toString("base64")}`,
  };
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
