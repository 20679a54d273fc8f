import { database } from "../db/database.ts";
import { downloadReceipt } from "../status/download-receipt.ts";

/**
 * The handler of `GET /api/deletion-receipt?id=`, the status page's link: the signed receipt of a deletion.
 *
 * @example
 * export const GET = deletionReceiptRoute;
 */
export const deletionReceiptRoute = (request: Request): Promise<Response> =>
  downloadReceipt(new URL(request.url).searchParams.get("id") ?? "", { db: database() });
