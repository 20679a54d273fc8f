import { DatabaseError } from "pg";
import type { Database } from "../db/client.ts";
import { rootMessageOf, rootOf } from "../errors.ts";
import { endEntries } from "../inbox/end-entries.ts";
import type { Lease, Leased } from "../inbox/entry.ts";
import { renewLease } from "../inbox/lease.ts";
import { log } from "../log.ts";
import { type ModelsInUse, readModelsInUse } from "../models/models.ts";
import type { EmbeddingSource } from "../source.ts";
import { askModel } from "./ask-model.ts";
import { type Deferral, deferModel, deferralOf } from "./defer-model.ts";
import { addRow, type EmbedResult, noResult } from "./embed-result.ts";
import { type Job, jobsOf } from "./job.ts";
import { type PresentRow, readRows } from "./read-rows.ts";
import { ModelsChangedError, type WrittenRow, writeRows } from "./write-rows.ts";

export type Worker = {
  db: Database;
  source: EmbeddingSource;
  /** Edits go before all others at the provider. */
  priority: boolean;
  /** Whether a model that has not had every row yet is written too: the drain's work, which no edit waits for. */
  builds: boolean;
};

type Item = { row: PresentRow; jobs: readonly Job[] };

/** The work of one lease; what has been written is not among `items` any more. */
type Work = {
  worker: Worker;
  token: string;
  models: ModelsInUse;
  items: Map<string, Item>;
  /** The models that are asked nothing in this lease, or nothing more. */
  deferrals: Map<number, Deferral>;
  result: EmbedResult;
};

const RENEW_MS = 15_000;
// What Postgres says of a value or a size that it does not take: one row's fault.
const OF_ONE_ROW = /^(22|54)/;

function writtenRow({ row, jobs }: Item, { deferrals }: Work): WrittenRow {
  const { entry, certain, state, textHash } = row;
  const failed = jobs.find(({ error }) => error !== undefined);
  const open = jobs.filter(({ isDone }) => !isDone);
  const at = Math.max(0, ...open.map(({ model }) => deferrals.get(model.id)?.at ?? 0));
  // What only a new model lacks is no edit.
  const queue = open.some(({ model }) => model.state === "active") ? entry.queue : ("batch" as const);
  const later = { entry, certain, kind: "later", at, queue } as const;
  const done = { entry, certain, kind: "done" } as const;
  return {
    ending:
      failed?.error !== undefined
        ? { ...done, kind: "failed", error: failed.error }
        : open.length > 0
          ? later
          : done,
    changedAt: entry.queue === "realtime" ? entry.changedAt : null,
    remove: state === "absent" || state === "excluded",
    vectors: jobs.flatMap(({ isComplete, model, vectors }) =>
      isComplete && textHash !== null ? [{ modelId: model.id, textHash, passages: vectors }] : [],
    ),
  };
}

/** Writes rows together, or each by itself where the database refuses a value of one of them. */
async function write(work: Work, rows: readonly WrittenRow[]): Promise<void> {
  const { worker, token, models, result } = work;
  try {
    const written = await writeRows(worker.db, worker.source, { token, models, rows });
    for (const row of written) addRow(result, row);
  } catch (error) {
    const root = rootOf(error);
    if (!(root instanceof DatabaseError) || !OF_ONE_ROW.test(root.code ?? "")) throw error;
    const [row, ...others] = rows;
    if (!row || row.ending.kind === "failed") throw error;
    if (others.length > 0) {
      for (const each of rows) await write(work, [each]);
      return;
    }
    await write(work, [
      { ...row, vectors: [], ending: { ...row.ending, kind: "failed", error: root.message } },
    ]);
  }
}

/** Writes the rows of which nothing more comes in this lease. */
async function flush(work: Work): Promise<void> {
  const { items, deferrals } = work;
  const ready = [...items.values()].filter(({ jobs }) =>
    jobs.every(({ isDone, model }) => isDone || deferrals.has(model.id)),
  );
  if (ready.length === 0) return;
  await write(
    work,
    ready.map((item) => writtenRow(item, work)),
  );
  for (const { row } of ready) items.delete(row.entry.rowId);
}

/** Gives back what was not worked on, so that nobody waits for the end of the lease, and it costs no row an attempt. */
async function release({ db, source }: Worker, token: string, entries: readonly Leased[]): Promise<void> {
  const endings = entries.map((entry) => {
    return { entry, certain: true, kind: "later", at: 0, queue: entry.queue } as const;
  });
  try {
    await db.transaction((tx) => endEntries(tx, source.name, { token, endings }));
  } catch {
    // The database is away, or the rows are somebody else's: then the lease ends by itself.
  }
}

async function begin(worker: Worker, { token, entries }: Lease): Promise<Work> {
  const { db, source, builds } = worker;
  // Read after the lease, never cached: a model that begins later puts the rows into the inbox again.
  const models = await readModelsInUse(db);
  const { active, building } = models;
  const all = building ? [active, building] : [active];
  const rows = await readRows(db, source, entries, all);
  const items = new Map(rows.map((row) => [row.entry.rowId, { row, jobs: jobsOf(row, all) }]));
  const deferrals = new Map<number, Deferral>();
  for (const model of all) {
    const deferral = model.isComplete || builds ? deferralOf(model) : { at: 0, error: undefined };
    if (deferral) deferrals.set(model.id, deferral);
  }
  return { worker, token, models, items, deferrals, result: noResult(active.name) };
}

/**
 * Keeps leases for as long as this process lives, however long the provider takes: those of a dead one end within a
 * minute. One that is lost is noticed at the write.
 */
function keepLeases({ db, source }: Worker, token: string, rowIds: () => readonly string[]): NodeJS.Timeout {
  return setInterval(() => {
    renewLease(db, source.name, { token, rowIds: rowIds() }).catch((error: unknown) =>
      log("warn", "lease.not_renewed", { source: source.name, error: rootMessageOf(error) }),
    );
  }, RENEW_MS);
}

/** Asks each model for what the rows lack of it, and writes what comes as it comes. */
async function askModels(work: Work): Promise<void> {
  const { worker, models, items, deferrals, result } = work;
  const { db, priority, source } = worker;
  const progress = async (tokens: number) => {
    result.tokens += tokens;
    await flush(work);
  };
  await flush(work);
  for (const model of models.building ? [models.active, models.building] : [models.active]) {
    if (deferrals.has(model.id)) continue;
    try {
      const jobs = [...items.values()].flatMap((item) => item.jobs.filter((job) => job.model === model));
      await askModel(jobs, model, { db, declaration: source.declaration, priority, progress });
    } catch (error) {
      if (error instanceof ModelsChangedError) throw error;
      deferrals.set(model.id, await deferModel(db, model, error));
    }
    await flush(work);
  }
}

/**
 * Brings the vectors of the leased rows up to their present texts, by each model in use. A message only says that a row
 * may have changed: what it carries may be old, cut or `unchanged_toast`, so the rows themselves are read.
 * Rejects when the active model's provider fails for everybody or has no room, when the database fails, and with
 * SourceError when it has another declaration by now; what was written until then stays, and the other rows are due
 * again.
 */
export async function embedLease(worker: Worker, lease: Lease): Promise<EmbedResult> {
  let work: Work | undefined;
  const leased = lease.entries.map(({ rowId }) => rowId);
  const heartbeat = keepLeases(worker, lease.token, () => (work ? [...work.items.keys()] : leased));
  try {
    work = await begin(worker, lease);
    await askModels(work);
  } catch (error) {
    const left = work ? [...work.items.values()].map(({ row }) => row.entry) : lease.entries;
    await release(worker, lease.token, left);
    if (!work || !(error instanceof ModelsChangedError)) throw error;
  } finally {
    clearInterval(heartbeat);
  }
  const { models, deferrals, result } = work;
  const failed = deferrals.get(models.active.id);
  if (failed && [...result.statuses.values()].includes("waiting")) throw failed.error;
  return result;
}
