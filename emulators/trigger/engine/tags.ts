import { refused } from "../errors.ts";
import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { saveRun } from "./snapshots.ts";

const MAX_TAGS = 10;

/** Adds tags to a run and returns a message about it; throws ApiError 422 above ten. */
export function addTags(engine: Engine, run: Run, tags: string[]): string {
  const added = tags.filter((tag) => tag.trim() !== "" && !run.tags.includes(tag));
  if (added.length === 0) return "No new tags to add";
  const total = run.tags.length + added.length;
  if (total > MAX_TAGS) throw refused(`Runs can only have ${MAX_TAGS} tags, you're trying to set ${total}.`);
  run.tags = [...run.tags, ...added];
  saveRun(engine, run);
  return `Successfully set ${added.length} new tags.`;
}
