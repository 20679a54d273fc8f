import { durationMs } from "../declare/duration.ts";
import type { ExternalSystem } from "../declare/external-system.ts";
import type { Deletion } from "./ledger.ts";

/** The time from which a system may be called about a deletion. */
export const dueAtOf = ({ after }: Pick<ExternalSystem, "after">, { requestedAt }: Deletion): Date =>
  new Date(requestedAt.getTime() + ((after && durationMs(after)) ?? 0));
