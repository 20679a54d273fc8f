import { isAbout } from "../changes/row-change.ts";
import type { TriggerDeclaration } from "../declare/declaration.ts";
import { idName, tagOf } from "../declare/names.ts";
import { InvalidMessageError } from "../errors.ts";
import type { Accepted, Handler } from "../ingress/outcome.ts";
import { rowIdOf } from "../ingress/row-id.ts";
import { keepLast } from "../keep-last.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { triggerRun } from "../runs/trigger-run.ts";

// More changes than are tried together. Each call counts toward Trigger.dev's limit, even with a known key: if a repeated
// delivery triggered all of its changes again, a large one would never finish.
const MOST_KEPT = 2_000;

type Asked = { rowId: string; action: "insert" | "update" | "delete"; changedAt: string | null; key: string };

/**
 * Handles the changes of a table whose changes run a task. Each change is a run, triggered before the delivery is
 * acknowledged, and only once however often it is delivered. If Trigger.dev does not answer, Sequin delivers again.
 */
export function triggerHandler(declaration: TriggerDeclaration): Handler<Asked> {
  const { key, actions, task, row } = declaration;
  const once = keepLast<string>(MOST_KEPT);
  return {
    declaration,
    parse(change, keyType) {
      const { action, committedAt, id } = change;
      if (!isAbout(declaration, change, { named: "required" })) return undefined;
      if (action === "row" || action === "read" || !actions.includes(action)) return undefined;
      const rowId = rowIdOf(change, key, keyType);
      if (id === undefined) throw new InvalidMessageError("metadata", "has nothing that tells changes apart");
      return { rowId, action, changedAt: committedAt, key: id };
    },
    enqueue: (_, asked, deadline) =>
      mapConcurrent(asked, async ({ rowId, action, changedAt, key }): Promise<Accepted> => {
        const payload = { [idName(declaration)]: rowId, action, changedAt };
        const run = { task, payload, tags: [tagOf(declaration, rowId)], idempotencyKey: `${row}:${key}` };
        return { runId: await once(key, () => triggerRun(run, deadline)) };
      }),
  };
}
