import type { Engine } from "./engine.ts";
import { finishRun } from "./finish-run.ts";
import type { TriggerBody } from "./trigger-options.ts";
import { type TriggerContext, triggerRun } from "./trigger-run.ts";

/** A run that exists only to carry the error of a batch item that could not be triggered. Returns its id. */
export function failedRun(
  engine: Engine,
  task: string,
  { payload, options }: TriggerBody,
  context: TriggerContext,
  message: string,
): string {
  const { parentRunId, resumeParentOnCompletion, payloadType } = options ?? {};
  const { runId } = triggerRun(
    engine,
    task,
    { payload, options: { parentRunId, resumeParentOnCompletion, payloadType } },
    context,
  );
  const run = engine.tables.runs.get(runId);
  if (run)
    finishRun(engine, run, {
      status: "SYSTEM_FAILURE",
      error: { type: "INTERNAL_ERROR", code: "BATCH_ITEM_COULD_NOT_TRIGGER", message },
      description: "Run could not be triggered",
    });
  return runId;
}
