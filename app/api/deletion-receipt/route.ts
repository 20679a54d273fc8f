import { database } from "../../../packages/aftercommit/src/db/database.ts";
import { downloadReceipt } from "../../../packages/aftercommit/src/status/download-receipt.ts";

/** The status page's link: the signed receipt of a deletion. */
export const GET = (request: Request): Promise<Response> =>
  downloadReceipt(new URL(request.url).searchParams.get("id") ?? "", { db: database() });
