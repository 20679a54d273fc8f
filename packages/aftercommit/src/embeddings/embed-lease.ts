import type { Database } from "../db/client.ts";
import { isOfOneRow, rootMessageOf } from "../errors.ts";
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
import { writeWords } from "./write-words.ts";

export type Worker = {
  db: Database;
  source: EmbeddingSource;
  /** Edits get the provider's limits first. */
  priority: boolean;
  /** Whether to write a model that has not had every row yet. The drain does; an edit does not wait for it. */
  builds: boolean;
  /** If set, no model is asked before then: only the words are written. */
  deferral?: Deferral;
};

type Item = { row: PresentRow; jobs: readonly Job[] };

type Work = {
  worker: Worker;
  token: string;
  models: ModelsInUse;
  items: Map<string, Item>;
  /** The models that get no requests, or no more, in this lease. */
  deferrals: Map<number, Deferral>;
  result: EmbedResult;
};

const RENEW_MS = 15_000;
// Rows per transaction. Others, such as an edit's, wait no longer than one takes.
const ROWS_A_WRITE = 100;

function writtenRow({ row, jobs }: Item, { deferrals }: Work): WrittenRow {
  const { entry, certain, state, textHash } = row;
  const error = row.error ?? jobs.find((job) => job.error !== undefined)?.error;
  const open = jobs.filter(({ isDone }) => !isDone);
  const at = Math.max(0, ...open.map(({ model }) => deferrals.get(model.id)?.at ?? 0));
  // If only a new model lacks the row, it is not an edit.
  const queue = open.some(({ model }) => model.state === "active") ? entry.queue : ("batch" as const);
  const later = { entry, certain, kind: "later", at, queue } as const;
  const done = { entry, certain, kind: "done" } as const;
  return {
    ending: error !== undefined ? { ...done, kind: "failed", error } : open.length > 0 ? later : done,
    changedAt: entry.queue === "realtime" ? entry.changedAt : null,
    remove: state === "absent" || state === "excluded",
    vectors: jobs.flatMap(({ isComplete, model, vectors }) =>
      isComplete && textHash !== null ? [{ modelId: model.id, textHash, passages: vectors }] : [],
    ),
  };
}

/** Writes rows together, or one by one if the database rejects a value of one of them. */
async function write(work: Work, rows: readonly WrittenRow[]): Promise<void> {
  const { worker, token, models, result } = work;
  try {
    const written = await writeRows(worker.db, worker.source, { token, models, rows });
    for (const row of written) addRow(result, row);
  } catch (error) {
    if (!isOfOneRow(error)) throw error;
    const [row, ...others] = rows;
    if (!row || row.ending.kind === "failed") throw error;
    if (others.length > 0) {
      for (const each of rows) await write(work, [each]);
      return;
    }
    await write(work, [
      { ...row, vectors: [], ending: { ...row.ending, kind: "failed", error: rootMessageOf(error) } },
    ]);
  }
}

async function flush(work: Work): Promise<void> {
  const { items, deferrals } = work;
  const ready = [...items.values()].filter(({ jobs }) =>
    jobs.every(({ isDone, model }) => isDone || deferrals.has(model.id)),
  );
  for (let from = 0; from < ready.length; from += ROWS_A_WRITE) {
    const part = ready.slice(from, from + ROWS_A_WRITE);
    await write(
      work,
      part.map((item) => writtenRow(item, work)),
    );
    for (const { row } of part) items.delete(row.entry.rowId);
  }
}

/** Releases what was not worked on, so that no one waits for the end of the lease, and no row is charged an attempt. */
async function release({ db, source }: Worker, token: string, entries: readonly Leased[]): Promise<void> {
  const endings = entries.map((entry) => {
    return { entry, certain: true, kind: "later", at: 0, queue: entry.queue } as const;
  });
  try {
    await db.transaction((tx) => endEntries(tx, source.name, { token, endings }));
  } catch {
    // The database is down, or another worker has the rows: the lease simply ends.
  }
}

async function begin(worker: Worker, { token, entries }: Lease): Promise<Work> {
  const { db, source, builds, deferral: ofAll } = worker;
  // Read after the lease, never cached: a model that starts later puts the rows into the inbox again.
  const models = await readModelsInUse(db);
  const { active, building } = models;
  const all = building ? [active, building] : [active];
  const rows = await readRows(db, source, entries, all);
  const items = new Map(rows.map((row) => [row.entry.rowId, { row, jobs: jobsOf(row, all) }]));
  const deferrals = new Map<number, Deferral>();
  for (const model of all) {
    const ofModel = model.isComplete || builds ? deferralOf(model) : { at: 0, error: undefined };
    const deferral = ofAll ?? ofModel;
    if (deferral) deferrals.set(model.id, deferral);
  }
  await writeWords(db, source, { token, rows, isPaused: deferrals.has(active.id) });
  // Last, because what fails before this releases all of them.
  const tooMany = entries.filter(({ rowId }) => !items.has(rowId));
  if (tooMany.length > 0) await release(worker, token, tooMany);
  return { worker, token, models, items, deferrals, result: noResult(active.name) };
}

/**
 * Renews leases while this process lives, however long the provider takes. The leases of a dead process end within a
 * minute. A lost lease is noticed when the rows are written.
 */
function keepLeases({ db, source }: Worker, token: string, rowIds: () => readonly string[]): NodeJS.Timeout {
  return setInterval(() => {
    renewLease(db, source.name, { token, rowIds: rowIds() }).catch((error: unknown) =>
      log("warn", "lease.not_renewed", { source: source.name, error: rootMessageOf(error) }),
    );
  }, RENEW_MS);
}

/** Asks each model for the vectors that the rows lack, and writes them as they arrive. */
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
 * Updates the vectors of the leased rows to their current texts, for each model in use. A message only says that a row
 * may have changed: what it carries may be old, truncated or `unchanged_toast`, so this reads the rows themselves.
 * Rejects if the active model's provider fails for every text or its limits are used up, if the database fails, and
 * with SourceError if it has another declaration now. What was written stays; the other rows become due again.
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
  const failed = worker.deferral ? undefined : deferrals.get(models.active.id);
  if (failed && [...result.statuses.values()].includes("waiting")) throw failed.error;
  return result;
}
