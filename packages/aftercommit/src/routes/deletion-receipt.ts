import { database } from "../db/database.ts";
import { readReceiptKey } from "../deletions/receipt-key.ts";
import { receiptOf } from "../deletions/receipts.ts";
import { deletionIdSchema } from "../deletions/step.ts";
import { EnvironmentError } from "../env/env.ts";

const notFound = () => Response.json({ error: "id: there is no such deletion" }, { status: 404 });

/**
 * The handler of `GET /api/deletion-receipt?id=`, the status page's link: the signed receipt of a deletion as a file
 * (application/jose: rfc-editor.org/rfc/rfc7515#section-9.2.1), 404 if there is no such deletion, and 503 without
 * DELETION_RECEIPT_KEY.
 *
 * @example
 * export const GET = deletionReceiptRoute;
 */
export async function deletionReceiptRoute(request: Request): Promise<Response> {
  const id = new URL(request.url).searchParams.get("id") ?? "";
  if (!deletionIdSchema.safeParse(id).success) return notFound();
  const db = database();
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
