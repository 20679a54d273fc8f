import { MachinePresetName, RunStatus } from "@trigger.dev/core/v3";
import { parseNaturalLanguageDurationInMs, RunId } from "@trigger.dev/core/v3/isomorphic";
import { z } from "zod";
import type { Engine } from "../engine/engine.ts";
import type { Run } from "../store/records.ts";
import { type Listed, listedRun } from "./run.ts";
import { toPublicStatus } from "./status.ts";

const DEFAULT_PAGE = 25;

const list = z.string().transform((value) => value.split(",").filter(Boolean));
const date = z.string().transform((value, context) => {
  const at = new Date(/^\d+$/.test(value) ? Number(value) : value).getTime();
  if (Number.isNaN(at)) context.addIssue({ code: "custom", message: `Invalid date: ${value}` });
  return at;
});

/** The query of `runs.list`, as the SDK writes it. */
export const ListRunsQuery = z.object({
  "page[size]": z.coerce.number().int().min(1).max(100).default(DEFAULT_PAGE),
  "page[after]": z.string().optional(),
  "page[before]": z.string().optional(),
  "filter[status]": list.pipe(z.array(RunStatus)).optional(),
  "filter[taskIdentifier]": list.optional(),
  "filter[version]": list.optional(),
  "filter[tag]": list.optional(),
  "filter[schedule]": z.string().optional(),
  "filter[isTest]": z.enum(["true", "false"]).optional(),
  "filter[batch]": z.string().optional(),
  "filter[queue]": list.optional(),
  "filter[machine]": list.pipe(z.array(MachinePresetName)).optional(),
  "filter[createdAt][from]": date.optional(),
  "filter[createdAt][to]": date.optional(),
  "filter[createdAt][period]": z.string().optional(),
});
export type ListRunsQuery = z.output<typeof ListRunsQuery>;

export interface RunPage {
  data: Listed[];
  pagination: { next?: string; previous?: string };
}

/** Runs that match, newest first; the cursors are ids of runs. */
export function listRuns(engine: Engine, query: ListRunsQuery): RunPage {
  const matching = [...engine.tables.runs.values()]
    .filter((run) => matches(engine, run, query))
    .sort((a, b) => b.seq - a.seq);
  const size = query["page[size]"];
  const after = query["page[after]"];
  const before = query["page[before]"];
  let start = 0;
  if (after) start = position(engine, matching, after, "after");
  else if (before) start = Math.max(0, position(engine, matching, before, "before") - size);
  const page = matching.slice(start, start + size);
  const first = page[0];
  const last = page.at(-1);
  return {
    data: page.map((run) => listedRun(engine, run)),
    pagination: {
      ...(last && start + size < matching.length && { next: `run_${last.id}` }),
      ...(first && start > 0 && { previous: `run_${first.id}` }),
    },
  };
}

function position(engine: Engine, runs: Run[], cursor: string, side: "after" | "before"): number {
  const seq = engine.tables.runs.get(RunId.toId(cursor))?.seq;
  if (seq === undefined) return side === "after" ? runs.length : 0;
  const at = runs.findIndex((run) => (side === "after" ? run.seq < seq : run.seq <= seq));
  return at === -1 ? runs.length : at;
}

function matches(engine: Engine, run: Run, query: ListRunsQuery): boolean {
  const period = parseNaturalLanguageDurationInMs(query["filter[createdAt][period]"] ?? "");
  const from =
    query["filter[createdAt][from]"] ?? (period === undefined ? undefined : engine.clock.now() - period);
  const to = query["filter[createdAt][to]"];
  return (
    includes(query["filter[status]"], toPublicStatus(run.status)) &&
    includes(query["filter[taskIdentifier]"], run.task) &&
    includes(query["filter[version]"], run.version) &&
    includes(query["filter[queue]"], run.queue) &&
    includes(query["filter[machine]"], run.machine ?? "small-1x") &&
    (query["filter[tag]"]?.some((tag) => run.tags.includes(tag)) ?? true) &&
    (query["filter[schedule]"] ?? run.scheduleId) === run.scheduleId &&
    (query["filter[isTest]"] ?? String(run.isTest)) === String(run.isTest) &&
    (query["filter[batch]"] === undefined || query["filter[batch]"] === `batch_${run.batchId}`) &&
    (from === undefined || run.createdAt >= from) &&
    (to === undefined || run.createdAt <= to)
  );
}

function includes<T>(wanted: T[] | undefined, value: T | undefined): boolean {
  return wanted === undefined || (value !== undefined && wanted.includes(value));
}
