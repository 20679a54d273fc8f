import { readReceiptKey } from "../receipt-key.ts";
import { allReceipts, receiptsOfRow } from "../receipts.ts";
import { type CommandContext, nameOf, type Target } from "./target.ts";

export async function receipt(target: Target, { db, say }: CommandContext): Promise<void> {
  const receipts = await receiptsOfRow(db, await readReceiptKey(), target);
  if (receipts.length === 0) throw new Error(`No deletion of ${nameOf(target)} is recorded`);
  for (const text of receipts) say(text);
}

export async function exportReceipts(since: Date | undefined, { db, say }: CommandContext): Promise<void> {
  const key = await readReceiptKey();
  for await (const text of allReceipts(db, key, since ?? new Date(0))) say(text);
}
