import type { Database } from "../../drizzle/client.ts";
import { findPostsWithState, type PostState, type PostWithState } from "../../drizzle/queries/post-states.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { triggerProblem } from "./problem-of.ts";
import { newestRuns, type Run, tagsOfFailedRuns } from "./runs.ts";

const SHOWN = 12;
const LIMIT_MS = 1_500;

/** A post that is pending or stale and whose newest run failed is `failed`. */
export type PostOnPage = Omit<PostWithState, "id" | "state"> & {
  id: string;
  state: PostState | "failed";
  run: Run | undefined;
};

export type PostsOnPage = {
  posts: PostOnPage[];
  /** Posts whose newest run failed, by the state that they would have otherwise. */
  failed: Record<"pending" | "stale", number>;
  /** Why Trigger.dev did not say: then no post has a run, and none counts as failed. */
  runsProblem: string | undefined;
};

const tagOf = ({ id }: { id: bigint }) => `post:${id}`;
const needsWork = ({ state }: PostWithState) => state === "pending" || state === "stale";

function idsOf(tags: readonly string[]): bigint[] {
  return tags.flatMap((tag) => {
    const id = /^post:(-?\d{1,18})$/.exec(tag)?.[1];
    return id === undefined ? [] : [BigInt(id)];
  });
}

function shown(post: PostWithState, runs: Map<string, Run>): PostOnPage {
  const run = runs.get(tagOf(post));
  return { ...post, id: String(post.id), state: needsWork(post) && run?.failed ? "failed" : post.state, run };
}

async function withRuns(db: Database, recipe: string, latest: PostWithState[]): Promise<PostsOnPage> {
  const deadline = Date.now() + LIMIT_MS;
  const [runs, tags] = await Promise.all([
    newestRuns(latest.map(tagOf), deadline),
    tagsOfFailedRuns(deadline),
  ]);
  const known = new Set(latest.map(({ id }) => id));
  const ids = idsOf(tags).filter((id) => !known.has(id));
  const others = ids.length > 0 ? await findPostsWithState(db, recipe, { ids }) : [];
  const suspects = others.filter(needsWork);
  const theirRuns = await newestRuns(suspects.map(tagOf), deadline);
  const failedOthers = suspects
    .map((post) => shown(post, theirRuns))
    .filter(({ state }) => state === "failed");
  const all = [...failedOthers, ...latest.map((post) => shown(post, runs))];
  const failed = all.filter(({ state }) => state === "failed");
  const pending = failed.filter(({ chunks }) => chunks === 0).length;
  return {
    posts: [...failed, ...all.filter(({ state }) => state !== "failed")].slice(0, SHOWN),
    failed: { pending, stale: failed.length - pending },
    runsProblem: undefined,
  };
}

/**
 * The posts to show: those that failed, then those that changed last, each with its newest run. Trigger.dev has 1.5 s
 * to answer.
 */
export async function postsOnPage(db: Database, recipe: string): Promise<PostsOnPage> {
  const latest = await findPostsWithState(db, recipe, { latest: SHOWN });
  try {
    return await withRuns(db, recipe, latest);
  } catch (error) {
    log("warn", "status.runs_unknown", { error: rootMessageOf(error) });
    const posts = latest.map((post) => shown(post, new Map()));
    return { posts, failed: { pending: 0, stale: 0 }, runsProblem: triggerProblem(error) };
  }
}
