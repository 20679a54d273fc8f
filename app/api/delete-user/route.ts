import { deletionHandler } from "../../../lib/deletions/deletion-handler.ts";
import { receive } from "../../../lib/ingress/receive.ts";

export const POST = (request: Request) => receive(request, deletionHandler());
