import { connect, type Database } from "../../drizzle/client.ts";
import { type DayOfUsage, readUsage } from "../../drizzle/queries/embedding-usage.ts";
import { type Lag, readLag } from "../../drizzle/queries/embeddings/answer-lag.ts";
import { modelsInUse } from "../embeddings/models-in-use.ts";
import { posts as source } from "../embeddings/posts.ts";
import { required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { type Counts, readStateCounts } from "./counts.ts";
import { type DeletionOnPage, deletionsOnPage } from "./deletions.ts";
import { freshFor } from "./fresh-for.ts";
import { type PostOnPage, postsOnPage } from "./posts.ts";
import { newestRuns, type Run } from "./runs.ts";

const LIMIT_MS = 1_500;
const DAYS = 14;

export type { Counts, DayOfUsage, Lag };

export type Status = {
  model: string;
  counts: Counts;
  lag: Lag | undefined;
  posts: (PostOnPage & { run: Run | undefined })[];
  runsAreKnown: boolean;
  /** Each of the last 14 UTC days, the oldest first. */
  usage: DayOfUsage[];
  deletions: DeletionOnPage[];
};

const database = () => connect(required("DATABASE_URL"));

function everyDay(usage: DayOfUsage[], now: Date): DayOfUsage[] {
  const known = new Map(usage.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now.getTime() - (DAYS - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    return known.get(day) ?? { day, calls: 0, tokens: 0 };
  });
}

async function runsOf(posts: PostOnPage[]): Promise<Map<string, Run> | undefined> {
  try {
    return await newestRuns(
      posts.map(({ tag }) => tag),
      Date.now() + LIMIT_MS,
    );
  } catch (error) {
    log("warn", "status.runs_unknown", { error: rootMessageOf(error) });
    return undefined;
  }
}

/** Reads what the status page shows. Rejects when the database does not answer; Trigger.dev need not. */
export async function readStatus({ db = database() }: { db?: Database } = {}): Promise<Status> {
  const { active } = await modelsInUse(db);
  const [counts, lag, posts, usage, deletions] = await Promise.all([
    readStateCounts(db, source, active),
    readLag(db, source.of, active.id),
    postsOnPage(db, active),
    readUsage(db, DAYS),
    deletionsOnPage(db),
  ]);
  const runs = await runsOf(posts);
  return {
    model: active.name,
    counts,
    lag,
    posts: posts.map((post) => ({ ...post, run: runs?.get(post.tag) })),
    runsAreKnown: runs !== undefined,
    usage: everyDay(usage, new Date()),
    deletions,
  };
}

/** As {@link readStatus}, at most once a second however many look. */
export const status = freshFor(
  () => readStatus(),
  () => 1_000,
);
