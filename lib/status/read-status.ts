import type { Database } from "../../drizzle/client.ts";
import { type DayOfUsage, readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { type Lag, readLag } from "../../drizzle/queries/embeddings/answer-lag.ts";
import { findUnprocessed, type UnprocessedOnPage } from "../../drizzle/queries/unprocessed-messages.ts";
import { database } from "../database.ts";
import { modelsInUse } from "../embeddings/models-in-use.ts";
import { posts as source } from "../embeddings/posts.ts";
import { rootMessageOf } from "../errors.ts";
import { freshFor } from "../fresh-for.ts";
import { log } from "../log.ts";
import { newestRuns, type Run } from "../runs/newest-runs.ts";
import { type Counts, readStateCounts } from "./counts.ts";
import { type DeletionOnPage, deletionsOnPage } from "./deletions.ts";
import { type Part, readPart } from "./part.ts";
import { type PostOnPage, postsOnPage } from "./posts.ts";
import { triggerProblem } from "./problem-of.ts";

const DAYS = 14;
const UNPROCESSED = { days: 7, limit: 8 };
// Trigger.dev need not answer: the page waits no longer for it.
const RUNS_LIMIT_MS = 1_500;

export type { Counts, DayOfUsage, Lag, UnprocessedOnPage };

type Totals = { model: string; counts: Counts; lag: Lag | undefined };

export type ShownPosts = {
  posts: (PostOnPage & { run: Run | undefined })[];
  /** Why Trigger.dev did not say: then no post has a run. */
  runsProblem: string | undefined;
};

/** What the status page shows, each part read for itself: one that fails hides no other. */
export type Status = {
  totals: Part<Totals>;
  posts: Part<ShownPosts>;
  /** Each of the last 14 UTC days, the oldest first. */
  usage: Part<DayOfUsage[]>;
  deletions: Part<DeletionOnPage[]>;
  /** Messages of the last 7 days that led to no run, and requests without the right secret. */
  unprocessed: Part<UnprocessedOnPage[]>;
};

async function totals(db: Database): Promise<Totals> {
  const { active } = await modelsInUse(db);
  const [counts, lag] = await Promise.all([
    readStateCounts(db, source, active),
    readLag(db, source.of, active.id),
  ]);
  return { model: active.name, counts, lag };
}

async function shownPosts(db: Database): Promise<ShownPosts> {
  const { active } = await modelsInUse(db);
  const posts = await postsOnPage(db, active);
  const tags = posts.map(({ tag }) => tag);
  try {
    const runs = await newestRuns(tags, Date.now() + RUNS_LIMIT_MS);
    return { posts: posts.map((post) => ({ ...post, run: runs.get(post.tag) })), runsProblem: undefined };
  } catch (error) {
    log("warn", "status.runs_unknown", { error: rootMessageOf(error) });
    return { posts: posts.map((post) => ({ ...post, run: undefined })), runsProblem: triggerProblem(error) };
  }
}

function everyDay(usage: DayOfUsage[], now: Date): DayOfUsage[] {
  const known = new Map(usage.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now.getTime() - (DAYS - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return known.get(day) ?? { day, calls: 0, tokens: 0 };
  });
}

/** Reads what the status page shows. Neither the database nor Trigger.dev need answer. */
export async function readStatus({ db = database }: { db?: () => Database } = {}): Promise<Status> {
  const [counted, posts, usage, deletions, unprocessed] = await Promise.all([
    readPart("totals", async () => totals(db())),
    readPart("posts", async () => shownPosts(db())),
    readPart("usage", async () => everyDay(await readUsage(db(), DAYS), new Date())),
    readPart("deletions", async () => deletionsOnPage(db())),
    readPart("unprocessed", async () => findUnprocessed(db(), UNPROCESSED)),
  ]);
  return { totals: counted, posts, usage, deletions, unprocessed };
}

/** As {@link readStatus}, at most once a second however many look. */
export const status = freshFor(
  () => readStatus(),
  () => 1_000,
);
