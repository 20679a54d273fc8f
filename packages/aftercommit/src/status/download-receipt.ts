import type { Database } from "../db/client.ts";
import { readReceiptKey } from "../deletions/receipt-key.ts";
import { receiptOf } from "../deletions/receipts.ts";
import { deletionIdSchema } from "../deletions/step.ts";
import { EnvironmentError } from "../env/env.ts";

const notFound = () => Response.json({ error: "id: there is no such deletion" }, { status: 404 });

/**
 * Responds with the signed receipt of a deletion as a file (application/jose:
 * rfc-editor.org/rfc/rfc7515#section-9.2.1), with 404 if there is no such deletion, and with 503 without
 * DELETION_RECEIPT_KEY.
 */
export async function downloadReceipt(id: string, { db }: { db: Database }): Promise<Response> {
  if (!deletionIdSchema.safeParse(id).success) return notFound();
  try {
    const receipt = await receiptOf(db, await readReceiptKey(), id);
    if (receipt === undefined) return notFound();
    return new Response(`${receipt}\n`, {
      headers: {
        "content-type": "application/jose",
        "content-disposition": `attachment; filename="deletion-${id}.jws"`,
        "cache-control": "no-store",
      },
    });
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    return Response.json({ error: error.message }, { status: 503 });
  }
}
