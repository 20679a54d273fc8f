import { generateKeyPairSync } from "node:crypto";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import type { DeletionDeclaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { deletionsCommand } from "../../../packages/aftercommit/src/deletions/command/command.ts";

/** A key as `openssl genpkey -algorithm ed25519 -outform DER | openssl base64 -A` generates it. */
export const newReceiptKey = () =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");

/** Runs `npx aftercommit deletions` with these arguments in this process. Resolves with the lines that it prints. */
export async function runDeletions(
  db: Database,
  declarations: readonly DeletionDeclaration[],
  ...args: string[]
): Promise<string[]> {
  const lines: string[] = [];
  await deletionsCommand(args, { db, declarations, say: (line) => void lines.push(line) });
  return lines;
}
