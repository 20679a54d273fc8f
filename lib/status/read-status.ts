import type { Database } from "../../drizzle/client.ts";
import { type DayOfUsage, readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { countPostStates, type Lag, type PostState, readLag } from "../../drizzle/queries/post-states.ts";
import { findUnprocessed, type UnprocessedOnPage } from "../../drizzle/queries/unprocessed-messages.ts";
import { database } from "../database.ts";
import { recipeOf } from "../embeddings/fingerprint.ts";
import { embeddingModel } from "../embeddings/provider.ts";
import { type DeletionOnPage, deletionsOnPage } from "./deletions.ts";
import { freshFor } from "./fresh-for.ts";
import { type Part, readPart } from "./part.ts";
import { type PostsOnPage, postsOnPage } from "./posts.ts";

const DAYS = 14;
const UNPROCESSED = { days: 7, limit: 8 };

export type Counts = Record<PostState | "failed", number>;

export type { DayOfUsage, Lag, UnprocessedOnPage };

/** What the status page shows, each part read for itself: one that fails hides no other. */
export type Status = {
  model: string;
  totals: Part<{ counts: Counts; lag: Lag | undefined }>;
  posts: Part<Pick<PostsOnPage, "posts" | "runsProblem">>;
  /** Each of the last 14 UTC days, the oldest first. */
  usage: Part<DayOfUsage[]>;
  deletions: Part<DeletionOnPage[]>;
  /** Messages of the last 7 days that led to no run. */
  unprocessed: Part<UnprocessedOnPage[]>;
};

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

type Deps = { db?: () => Database; readTotals?: () => ReturnType<typeof totals> };

/** Reads what the status page shows. Neither the database nor Trigger.dev need answer. */
export async function readStatus({ db = database, readTotals = sharedTotals }: Deps = {}): Promise<Status> {
  const model = embeddingModel();
  const [counted, posts, usage, deletions, unprocessed] = await Promise.all([
    readPart("totals", readTotals),
    readPart("posts", async () => postsOnPage(db(), recipeOf(model))),
    readPart("usage", async () => everyDay(await readUsage(db(), DAYS), new Date())),
    readPart("deletions", async () => deletionsOnPage(db())),
    readPart("unprocessed", async () => findUnprocessed(db(), UNPROCESSED)),
  ]);
  const failed = posts.known ? posts.value.failed : { pending: 0, stale: 0 };
  const totalsOf = ({ counts, lag }: Awaited<ReturnType<typeof totals>>) => ({
    counts: countsWith(counts, failed),
    lag,
  });
  return {
    model,
    totals: counted.known ? { known: true, value: totalsOf(counted.value) } : counted,
    posts,
    usage,
    deletions,
    unprocessed,
  };
}

/** As {@link readStatus}, at most once a second however many look. */
export const status = freshFor(
  () => readStatus(),
  () => 1_000,
);
