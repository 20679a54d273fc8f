import { queues } from "@trigger.dev/sdk";
import type { Database } from "../../drizzle/client.ts";
import { readLag } from "../../drizzle/queries/embeddings/answer-lag.ts";
import { readCounts } from "../../drizzle/queries/embeddings/counts.ts";
import { countFailedRows } from "../../drizzle/queries/embeddings/failures.ts";
import { readBudgetLeft } from "../../drizzle/queries/metrics/budget-left.ts";
import { readOpenDeletions } from "../../drizzle/queries/metrics/open-deletions.ts";
import { readReplicationSlots } from "../../drizzle/queries/metrics/replication-slots.ts";
import { beforeDeadline } from "../before-deadline.ts";
import { database } from "../database.ts";
import { limits } from "../embeddings/limits.ts";
import { modelsInUse } from "../embeddings/models-in-use.ts";
import { posts } from "../embeddings/posts.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { withFailed } from "../status/counts.ts";
import type { MetricName } from "./catalog.ts";

/** One value of a gauge. */
export type Reading = { name: MetricName; value: number; attributes?: Record<string, string> };

// All gauges are read one after another over one connection, and an interval waits for none of them for long.
const LIMIT_MS = 5_000;
const MOST_QUEUES = 100;

async function ofLag(db: Database): Promise<Reading[]> {
  const { active } = await modelsInUse(db);
  const lag = await readLag(db, posts.of, active.id);
  const quantiles = lag ? Object.entries({ "0.5": lag.p50, "0.95": lag.p95 }) : [];
  return quantiles.map(([quantile, value]) => ({
    name: "aftercommit.embedding.lag",
    value,
    attributes: { quantile },
  }));
}

// As they were last counted, by the reconciliation or for the page: to count a large table each minute costs too much.
async function ofPosts(db: Database): Promise<Reading[]> {
  const { active } = await modelsInUse(db);
  const counted = await readCounts(db, posts.of, active.id);
  if (!counted) return [];
  const failed = await countFailedRows(db, posts.of, active.id);
  return Object.entries(withFailed(counted.counts, failed)).map(([state, value]) => ({
    name: "aftercommit.posts",
    value,
    attributes: { state },
  }));
}

async function ofBudget(db: Database): Promise<Reading[]> {
  const left = await readBudgetLeft(db, limits().tokensPerMinute);
  return left.flatMap(({ model, tokens, blocked }): Reading[] => [
    { name: "aftercommit.embedding.budget.tokens", value: tokens, attributes: { model } },
    { name: "aftercommit.embedding.budget.blocked", value: blocked, attributes: { model } },
  ]);
}

async function ofSlots(db: Database): Promise<Reading[]> {
  const slots = await readReplicationSlots(db);
  return slots.flatMap(({ name, active, retained }): Reading[] => {
    const attributes = { slot: name };
    const held: Reading[] =
      retained === null
        ? []
        : [{ name: "aftercommit.replication_slot.retained", value: retained, attributes }];
    return [...held, { name: "aftercommit.replication_slot.active", value: Number(active), attributes }];
  });
}

async function ofDeletions(db: Database): Promise<Reading[]> {
  const { open, oldest } = await readOpenDeletions(db);
  return [
    { name: "aftercommit.deletions.open", value: open },
    { name: "aftercommit.deletions.oldest", value: oldest },
  ];
}

async function ofQueues(): Promise<Reading[]> {
  const { data } = await queues.list({ perPage: MOST_QUEUES }, { retry: { maxAttempts: 1 } });
  return data.flatMap(({ name, queued, running }): Reading[] => [
    { name: "aftercommit.queue.queued", value: queued, attributes: { queue: name } },
    { name: "aftercommit.queue.running", value: running, attributes: { queue: name } },
  ]);
}

const PARTS = {
  lag: ofLag,
  posts: ofPosts,
  budget: ofBudget,
  slots: ofSlots,
  deletions: ofDeletions,
  queues: ofQueues,
};

/** All gauges of this moment. What cannot be read is left out, with a line in the log. */
export async function readGauges(db: Database = database()): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const [part, read] of Object.entries(PARTS))
    try {
      readings.push(...(await beforeDeadline(() => read(db), Date.now() + LIMIT_MS)));
    } catch (error) {
      log("warn", "metrics.part_unknown", { part, error: rootMessageOf(error) });
    }
  return readings;
}
