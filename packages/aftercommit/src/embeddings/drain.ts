import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { HEARTBEAT_MS, joinDrain, leaveDrain, stayInDrain } from "../inbox/drains.ts";
import type { Lease, Queue } from "../inbox/entry.ts";
import { leaseDue, leaseSettled, leaseWordsDue } from "../inbox/lease.ts";
import { stampAgainElsewhere } from "../inbox/stamp-again.ts";
import { log } from "../log.ts";
import { readModelsInUse } from "../models/models.ts";
import { RateLimitedError } from "../providers/errors.ts";
import { type EmbeddingSource, sourceOf } from "../source.ts";
import { type Deferral, deferralOf } from "./defer-model.ts";
import { embedLease } from "./embed-lease.ts";
import type { RowStatus } from "./embed-result.ts";

// The most entries of one lease: as many short texts as fit into one request.
const ENTRIES = 500;
// The leases that one run works on in parallel: while one waits for the provider, another reads or writes.
const SIDE_BY_SIDE = 3;
// Every fifth lease starts with the batch queue, so that an endless stream of edits does not starve it.
const SHARE = 5;
// A run lasts at least a second, so that at most one is triggered per second.
const LINGER_MS = 1_000;
const POLL_MS = 100;
// After that, another run continues: a deployment or a machine's shutdown never interrupts a run of hours.
const LONGEST_MS = 15 * 60_000;

/** How many rows ended in each status, and the cost. `left`: there was more to do when the run reached its limit. */
export type DrainResult = Record<RowStatus, number> & { chunks: number; tokens: number; left: boolean };

type Options = {
  db: Database;
  runId: string;
  /** Waits until a time, in Unix milliseconds, that is too far away for a run to sleep. */
  waitUntil: (at: number) => Promise<void>;
};

type Drain = Options & {
  source: EmbeddingSource;
  total: DrainResult;
  turn: number;
  /** The most entries of the next lease: fewer while texts are so large that not all of a lease's are read. */
  entries: number;
  deadline: number;
};

/** The next entries to work on: edits first, with a share for the rest. */
async function nextLease({ db, source: { name }, turn, entries }: Drain): Promise<Lease | undefined> {
  const queues = turn % SHARE === 0 ? (["batch", "realtime"] as const) : (["realtime", "batch"] as const);
  for (const queue of queues) {
    const lease = await leaseDue(db, name, queue, entries);
    if (lease.entries.length > 0) return lease;
  }
  const lease = await leaseSettled(db, name, entries);
  return lease.entries.length > 0 ? lease : undefined;
}

/** Rejects with PausedError while no model in use may be asked, because a lease would be useless. */
async function requireModel(db: Database): Promise<void> {
  const { active, building } = await readModelsInUse(db);
  const paused = deferralOf(active);
  if (paused && (!building || deferralOf(building))) throw paused.error;
}

async function embed(drain: Drain, lease: Lease): Promise<void> {
  const { db, source, total } = drain;
  const priority = lease.entries.every(({ queue }) => queue === "realtime");
  const result = await embedLease({ db, source, priority, builds: true }, lease);
  for (const status of result.statuses.values()) total[status] += 1;
  const isWhole = result.statuses.size === lease.entries.length;
  drain.entries = isWhole ? Math.min(ENTRIES, drain.entries * 2) : Math.max(1, result.statuses.size * 2);
  total.chunks += result.chunks;
  total.tokens += result.tokens;
}

/** One loop of a drain: lease after lease, until nothing is due or another loop has failed. */
async function work(drain: Drain, stop: AbortController): Promise<void> {
  const { db, source, total, deadline } = drain;
  try {
    while (!stop.signal.aborted) {
      if (Date.now() > deadline) {
        total.left = true;
        return;
      }
      await requireModel(db);
      drain.turn += 1;
      const lease = await nextLease(drain);
      if (!lease) return;
      await embed(drain, lease);
    }
  } catch (error) {
    // Only the first reason decides what happens next. Limits that are used up are no failure.
    if (stop.signal.aborted && !(error instanceof RateLimitedError))
      log("warn", "drain.lease_failed", { source: source.name, error: rootMessageOf(error) });
    stop.abort(error);
  }
}

/**
 * Works on the edits that are due, until the run's deadline: they get the limits that the others wait for. False if the
 * limits leave no room for them either.
 */
async function workOnEdits(drain: Drain): Promise<boolean> {
  try {
    while (Date.now() < drain.deadline) {
      const lease = await leaseDue(drain.db, drain.source.name, "realtime", drain.entries);
      if (lease.entries.length === 0) return true;
      await embed(drain, lease);
    }
    return true;
  } catch (error) {
    if (error instanceof RateLimitedError) return false;
    throw error;
  }
}

type Wait = { deferral: Deferral; queues: readonly Queue[] };

/** Writes the words of the entries that are due, which takes no model, and leaves the rest of their work for later. */
async function writeDueWords({ db, source }: Drain, { deferral, queues }: Wait): Promise<void> {
  for (const queue of queues)
    for (;;) {
      const lease = await leaseWordsDue(db, source.name, queue, ENTRIES);
      if (lease.entries.length === 0) break;
      await embedLease({ db, source, priority: false, builds: true, deferral }, lease);
    }
}

async function workAll(drain: Drain): Promise<void> {
  for (;;) {
    const stop = new AbortController();
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => work(drain, stop)));
    const { aborted, reason } = stop.signal;
    if (!aborted) return;
    if (!(reason instanceof RateLimitedError)) {
      const deferral = deferralOf((await readModelsInUse(drain.db)).active);
      if (deferral) await writeDueWords(drain, { deferral, queues: ["realtime", "batch"] });
      throw reason;
    }
    const deferral = { at: reason.retryAt, error: reason };
    // An edit that arrives now must not wait with the others: its own run embeds it.
    const queues: Queue[] = (await workOnEdits(drain)) ? ["batch"] : ["realtime", "batch"];
    await writeDueWords(drain, { deferral, queues });
    await drain.waitUntil(reason.retryAt);
  }
}

function startHeartbeat({ db, runId, source: { name } }: Drain): NodeJS.Timeout {
  return setInterval(() => {
    stayInDrain(db, runId).catch((error: unknown) =>
      log("warn", "drain.not_seen", { source: name, error: rootMessageOf(error) }),
    );
  }, HEARTBEAT_MS);
}

/**
 * Works on the inbox of an embedded table until nothing is due: backfills, large transactions, reconciliations, and
 * edits that their own runs have not reached. Texts that fail are recorded and do not stop the others. Rejects like
 * {@link embedLease}, except that it waits for the provider's limits; what is left becomes due again.
 */
export async function drain(declaration: EmbeddingDeclaration, options: Options): Promise<DrainResult> {
  const { db, runId } = options;
  const source = await sourceOf(db, declaration);
  const { name } = source;
  if (await stampAgainElsewhere(db, name)) log("warn", "inbox.stamped_again", { source: name });
  await joinDrain(db, name, runId);
  const startedAt = Date.now();
  const counts = { embedded: 0, unchanged: 0, deleted: 0, failed: 0, unsettled: 0, waiting: 0 };
  const total = { ...counts, chunks: 0, tokens: 0, left: false };
  const deadline = startedAt + LONGEST_MS;
  const work: Drain = { ...options, source, total, turn: 0, entries: ENTRIES, deadline };
  const heartbeat = startHeartbeat(work);
  try {
    do {
      await workAll(work);
      await sleep(POLL_MS);
    } while (!total.left && Date.now() - startedAt < LINGER_MS);
    await leaveDrain(db, runId);
    // A row that was accepted just before this saw a draining run, and woke no other.
    if (!total.left) await workAll(work);
    return total;
  } finally {
    clearInterval(heartbeat);
    await leaveDrain(db, runId);
  }
}
