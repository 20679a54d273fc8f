import { deletionRun } from "../../../lib/deletions/deletion-run.ts";
import { receive } from "../../../lib/ingress/receive.ts";
import type { userDeletionCleanup } from "../../../trigger/user-deletion-cleanup.ts";

export const POST = (request: Request) => receive<typeof userDeletionCleanup>(request, deletionRun);
