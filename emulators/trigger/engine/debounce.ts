import { parseNaturalLanguageDurationInMs } from "@trigger.dev/core/v3/isomorphic";
import { refused } from "../errors.ts";
import type { Run } from "../store/records.ts";
import type { Engine } from "./engine.ts";
import { delay } from "./enqueue.ts";
import { saveRun } from "./snapshots.ts";
import { type Options, parseMetadata, serializePayload, type TriggerBody } from "./trigger-options.ts";

export interface Debounce {
  key: string;
  delayMs: number;
  maxDelayMs: number | undefined;
  trailing: boolean;
}

/** @throws ApiError 422 if the durations cannot debounce */
export function parseDebounce(options: Options): Debounce | undefined {
  const { debounce } = options;
  if (!debounce) return undefined;
  const delayMs = parseNaturalLanguageDurationInMs(debounce.delay);
  if (delayMs === undefined || delayMs <= 0)
    throw refused(`Debounce requires a valid delay duration. Provided: ${debounce.delay}`);
  const maxDelayMs =
    debounce.maxDelay === undefined ? undefined : parseNaturalLanguageDurationInMs(debounce.maxDelay);
  if (debounce.maxDelay !== undefined && maxDelayMs === undefined)
    throw refused(`Invalid debounce maxDelay: ${debounce.maxDelay}.`);
  if (maxDelayMs !== undefined && maxDelayMs <= delayMs)
    throw refused(
      `debounce.maxDelay (${debounce.maxDelay}) must be longer than debounce.delay (${debounce.delay}).`,
    );
  return { key: debounce.key, delayMs, maxDelayMs, trailing: debounce.mode === "trailing" };
}

/** Delays the waiting run of this key further; undefined if a new run is due. */
export function pushBack(
  engine: Engine,
  task: string,
  debounce: Debounce,
  body: TriggerBody,
): Run | undefined {
  const id = engine.index.debounced(task, debounce.key);
  const run = id === undefined ? undefined : engine.tables.runs.get(id);
  if (run?.status !== "DELAYED" || run.delayUntil === undefined) return undefined;
  const until = engine.clock.now() + debounce.delayMs;
  if (run.debounce?.latestAt !== undefined && until > run.debounce.latestAt) return undefined;
  if (debounce.trailing) replaceInput(run, body);
  if (until > run.delayUntil) delay(engine, run, until);
  else saveRun(engine, run);
  return run;
}

function replaceInput(run: Run, body: TriggerBody): void {
  const { options } = body;
  Object.assign(run, serializePayload(body));
  if (options?.metadata) Object.assign(run, parseMetadata(options));
  if (options?.tags !== undefined) run.tags = [options.tags].flat();
  if (options?.maxAttempts !== undefined) run.maxAttempts = options.maxAttempts;
  if (options?.machine !== undefined) run.machine = options.machine;
}
