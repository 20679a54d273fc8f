import { tagOf } from "../declare/names.ts";
import { type ChildRun, failuresOfChildren } from "../runs/child-runs.ts";
import { StepError } from "./errors.ts";
import type { DeletionSteps } from "./finish-deletion.ts";
import type { Deletion } from "./ledger.ts";

export const STEP_TASKS = {
  cleanUp: "clean-up-external-system",
  confirm: "send-deletion-confirmation",
} as const;

export function stepRunsOf({ id, source, rowId }: Deletion): DeletionSteps {
  const child = (task: string, step: string, payload: object = {}): ChildRun => ({
    task,
    payload: { deletionId: id, ...payload },
    tags: [tagOf({ row: source }, rowId)],
    idempotencyKey: [id, step],
  });
  return {
    async cleanUp(systems) {
      const failures = await failuresOfChildren(
        systems.map((system) => child(STEP_TASKS.cleanUp, system, { system })),
      );
      return systems.flatMap((system, index) => {
        const error = failures[index];
        return error === undefined ? [] : [{ system, error }];
      });
    },
    async confirm() {
      const [error] = await failuresOfChildren([child(STEP_TASKS.confirm, "confirmation")]);
      if (error !== undefined)
        throw new StepError(`Clean, but the confirmation was not sent: ${error}`, { retryable: false });
    },
  };
}
