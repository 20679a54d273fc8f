import { readdirSync } from "node:fs";
import { basename } from "node:path";

/** The ids of the tasks that a deployment runs on a schedule, which are their file names. */
export function scheduledTasks(folder = "trigger"): string[] {
  return readdirSync(folder)
    .filter((name) => /^(reconcile|resume)-.+\.ts$/.test(name))
    .map((name) => basename(name, ".ts"))
    .sort();
}
