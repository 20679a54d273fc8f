import { readFile } from "node:fs/promises";
import { rootMessageOf } from "../../errors.ts";
import { type ReceiptKey, readReceiptKey } from "../receipt-key.ts";
import { type Receipt, verifyReceipt } from "../receipts.ts";
import { deleteAgain, findReturned, type ReturnedRow } from "../replay.ts";
import { type CommandContext, nameOf } from "./target.ts";

async function readReceipts(file: string, key: ReceiptKey): Promise<Receipt[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  const receipts: Receipt[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line.trim()) continue;
    const receipt = await verifyReceipt(line.trim(), key).catch((error: unknown) => {
      throw new Error(`${file}, line ${index + 1}: ${rootMessageOf(error)}. Nothing is deleted`);
    });
    receipts.push(receipt);
  }
  if (receipts.length === 0) throw new Error(`${file} holds no receipt`);
  return receipts;
}

/**
 * Lists the rows that exist although receipts say that they were deleted since a time; with `yes`, deletes them.
 * Rejects before it deletes anything if a receipt cannot be trusted, and at the end if a row could not be deleted.
 */
export async function replay(
  { file, since, yes }: { file: string; since: Date; yes: boolean },
  { db, declarations, say }: CommandContext,
): Promise<void> {
  const key = await readReceiptKey();
  const receipts = await readReceipts(file, key);
  let failed = 0;
  let returned = 0;
  for (const declaration of declarations) {
    const found: ReturnedRow[] = await findReturned(db, declaration, { receipts, since, key });
    for (const row of found) {
      const name = nameOf({ source: declaration.row, rowId: row.rowId });
      const deletedAt = `deleted on ${row.receipt.requested_at}`;
      if (row.receipt.on_hold) {
        say(`${name}, ${deletedAt}, was on hold: left alone. Put it on hold again, or delete it yourself.`);
        continue;
      }
      returned += 1;
      if (!yes) {
        say(`${name}, ${deletedAt}, exists again.`);
        continue;
      }
      try {
        await deleteAgain(db, declaration, row);
        say(`${name}, ${deletedAt}, is deleted again.`);
      } catch (error) {
        failed += 1;
        say(`${name}, ${deletedAt}, could not be deleted: ${rootMessageOf(error)}`);
      }
    }
  }
  if (failed > 0) throw new Error(`${failed} of ${returned} rows could not be deleted`);
  if (returned === 0) say("No row that was deleted since then exists again.");
  else if (!yes) say(`Nothing is deleted yet. To delete these ${returned}: add --yes`);
}
