import type { DeletionDeclaration } from "../declare/declaration.ts";
import { durationMs } from "../declare/duration.ts";
import type { DeletedRow, ExternalSystem } from "../declare/external-system.ts";
import { EnvironmentError } from "../env/env.ts";
import { type Deletion, keyOf } from "./ledger.ts";
import { webhooks } from "./webhook.ts";

/**
 * Every system that must be clean before a deletion is confirmed: those of the declaration, and the webhooks. The app
 * decides by name which systems a deletion needs, and the tasks call them.
 * @throws {EnvironmentError} if the webhooks are not configured, or two systems have the same name
 */
export function systemsOf({ systems }: Pick<DeletionDeclaration, "systems">): ExternalSystem[] {
  const all = [...systems, ...webhooks()];
  const twice = all.find(({ name }, index) => all.findIndex((other) => other.name === name) < index);
  if (!twice) return all;
  const problem = `names ${twice.name}, which is another system's name`;
  throw new EnvironmentError([{ name: "USER_DELETION_WEBHOOK_URLS", problem }]);
}

/** The time from which a system may be called about a deletion. */
export const dueAtOf = ({ after }: Pick<ExternalSystem, "after">, { requestedAt }: Deletion): Date =>
  new Date(requestedAt.getTime() + ((after && durationMs(after)) ?? 0));

export type About = Pick<Deletion, "id" | "source" | "rowId" | "email" | "requestedAt" | "systems">;

/** The deleted row as one system receives it, with the address only if the system asks for it. */
export function rowFor(system: ExternalSystem, deletion: About): DeletedRow {
  const { times_found: timesFound } = deletion.systems[system.name] ?? {};
  return {
    row: deletion.source,
    id: deletion.rowId,
    email: system.email ? deletion.email : null,
    requestedAt: deletion.requestedAt,
    // With the same key, the system would skip the next clean-up as a duplicate.
    idempotencyKey: [keyOf(deletion), system.name, timesFound].filter((part) => part !== undefined).join(":"),
  };
}
