import type { TaskRunError } from "@trigger.dev/core/v3";
import type { Run } from "../store/records.ts";
import { type Engine, friendlyId } from "./engine.ts";

/** One line in the terminal about one event of a run. */
export function report(engine: Engine, run: Run, event: string): void {
  engine.log(`${friendlyId(run)} ${run.task} ${event}`);
}

/** An error in a few words, on one line. */
export function errorMessage(error: TaskRunError): string {
  switch (error.type) {
    case "BUILT_IN_ERROR":
      return firstLine(`${error.name}: ${error.message}`);
    case "INTERNAL_ERROR":
      return firstLine(error.message ? `${error.code}: ${error.message}` : error.code);
    default:
      return firstLine(error.raw);
  }
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 6_000) / 10} min`;
}

function firstLine(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
