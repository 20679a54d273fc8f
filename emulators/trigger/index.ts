import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { runPages } from "./console/pages.tsx";
import { startTrigger, type TriggerOptions } from "./start.ts";

export { absentRunPages as absent } from "./console/pages.tsx";

/** Starts the API that `trigger.dev dev` and the SDK use, with pages that show the runs. */
export async function start(options: TriggerOptions): Promise<RunningPart> {
  const trigger = await startTrigger(options);
  const { app, attach, close } = trigger;
  return { app, attach, close, pages: runPages(trigger) };
}
