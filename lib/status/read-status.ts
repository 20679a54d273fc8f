import { connect, type Database } from "../../drizzle/client.ts";
import { type DayOfUsage, readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { countPostStates, type Lag, type PostState, readLag } from "../../drizzle/queries/post-states.ts";
import { recipeOf } from "../embeddings/fingerprint.ts";
import { embeddingModel } from "../embeddings/provider.ts";
import { required } from "../env.ts";
import { type DeletionOnPage, deletionsOnPage } from "./deletions.ts";
import { freshFor } from "./fresh-for.ts";
import { type PostsOnPage, postsOnPage } from "./posts.ts";

const DAYS = 14;

export type Counts = Record<PostState | "failed", number>;

export type { DayOfUsage, Lag };

export type Status = Pick<PostsOnPage, "posts" | "runsAreKnown"> & {
  model: string;
  counts: Counts;
  lag: Lag | undefined;
  /** Each of the last 14 UTC days, the oldest first. */
  usage: DayOfUsage[];
  deletions: DeletionOnPage[];
};

const database = () => connect(required("DATABASE_URL"));

async function totals(db: Database) {
  const counts = await countPostStates(db, recipeOf(embeddingModel()));
  return { counts, lag: await readLag(db) };
}

// They read every post: with many, they are taken less often instead of keeping the database busy.
const sharedTotals = freshFor(
  () => totals(database()),
  (tookMs) => Math.min(10_000, 20 * tookMs),
);

function everyDay(usage: DayOfUsage[], now: Date): DayOfUsage[] {
  const known = new Map(usage.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now.getTime() - (DAYS - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return known.get(day) ?? { day, calls: 0, tokens: 0 };
  });
}

function countsWith(counts: Record<PostState, number>, failed: PostsOnPage["failed"]): Counts {
  return {
    ...counts,
    pending: Math.max(0, counts.pending - failed.pending),
    stale: Math.max(0, counts.stale - failed.stale),
    failed: failed.pending + failed.stale,
  };
}

type Deps = { db?: Database; readTotals?: () => ReturnType<typeof totals> };

/** Reads what the status page shows. Rejects when the database does not answer; Trigger.dev need not. */
export async function readStatus({ db = database(), readTotals = sharedTotals }: Deps = {}): Promise<Status> {
  const model = embeddingModel();
  const [{ counts, lag }, { posts, failed, runsAreKnown }, usage, deletions] = await Promise.all([
    readTotals(),
    postsOnPage(db, recipeOf(model)),
    readUsage(db, DAYS),
    deletionsOnPage(db),
  ]);
  return {
    model,
    counts: countsWith(counts, failed),
    lag,
    usage: everyDay(usage, new Date()),
    deletions,
    posts,
    runsAreKnown,
  };
}

/** As {@link readStatus}, at most once a second however many look. */
export const status = freshFor(
  () => readStatus(),
  () => 1_000,
);
