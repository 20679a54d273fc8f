import type { RunningPart } from "@aftercommit/local-shared/part.ts";
import { callPages } from "./console.tsx";
import { type ExternalSystemOptions, startExternalSystem } from "./start.ts";

export { absentCallPages as absent } from "./console.tsx";

/** Starts the systems that are notified of deleted users, with a page that lists the calls. */
export async function start(options: ExternalSystemOptions): Promise<RunningPart> {
  const { app, calls, close } = await startExternalSystem(options);
  return { app, close, pages: callPages(calls) };
}
