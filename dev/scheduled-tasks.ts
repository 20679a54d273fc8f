import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

/** The ids of the tasks that a deployment runs by a schedule; a task's file has its id for a name. */
export function scheduledTasks(folder = "trigger"): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /\bschedules\.task\(/.test(readFileSync(join(folder, name), "utf8")))
    .map((name) => basename(name, ".ts"))
    .sort();
}
