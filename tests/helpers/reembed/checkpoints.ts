import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { databaseForTests } from "../posts-database.ts";
import type { strictProviderForTests } from "../providers/strict-provider.ts";
import type { Command } from "../start-command.ts";

// A request of the drain has hundreds of inputs; an edit has one, and the trial of a model a few.
const FEW_INPUTS = 20;

/**
 * `answers`: how many large requests are answered from the command's start until its checkpoint; the next one waits.
 */
type Checkpoint = { name: string; answers: number; has(command: Command): boolean | Promise<boolean> };

/** Breaks the connection instead of answering. */
const breakOff = (_: unknown, response: { destroy(): unknown }) => void response.destroy();

/** The checkpoints that a change of the model to `model` passes, in order, and the provider that it uses. */
export function checkpointsOf(
  { db }: Pick<ReturnType<typeof databaseForTests>, "db">,
  provider: ReturnType<typeof strictProviderForTests>,
  { model, posts }: { model: string; posts: number },
) {
  let [answered, allowed, broken] = [0, 0, false];
  const isLarge = (request: { model: string; input: readonly string[] }) =>
    request.model === model && request.input.length > FEW_INPUTS;
  provider.rule = async (request, isGone) => {
    if (!isLarge(request)) return undefined;
    while (!isGone() && answered >= allowed) await sleep(20);
    if (isGone()) return undefined;
    answered += 1;
    if (answered < 3 || broken) return undefined;
    broken = true;
    return breakOff;
  };

  const stateOf = async () =>
    (await db.execute<{ state: string }>(sql`select state from aftercommit.models where name = ${model}`))
      .rows[0]?.state;
  const filled = (share: number) => async (command: Command) => {
    if (!command.output().includes("embedded:")) return false;
    const { rows } = await db.execute<{
      count: number;
    }>(sql`select count(*)::int as count from post_embeddings
      where model_id = (select id from aftercommit.models where name = ${model})`);
    return (rows[0]?.count ?? 0) > share * posts;
  };
  const all = Number.POSITIVE_INFINITY;
  const checkpoints: Checkpoint[] = [
    {
      name: "before the new model is registered",
      answers: 0,
      has: () => provider.requests.some((request) => request.model === model),
    },
    { name: "when it is registered", answers: 0, has: async () => (await stateOf()) === "building" },
    { name: "with its first vectors", answers: 1, has: filled(0) },
    { name: "with half of them", answers: 1, has: filled(0.4) },
    { name: "with most of them", answers: 2, has: filled(0.6) },
    {
      name: "while the index is built",
      answers: all,
      has: (command) => command.output().includes("Building the index"),
    },
    {
      name: "as it switches",
      answers: all,
      has: async () =>
        (
          await db.execute(sql`select from pg_index where indisvalid and indexrelid = to_regclass(
            'post_embeddings_model_' || (select id from aftercommit.models where name = ${model}))`)
        ).rowCount === 1,
    },
    { name: "when it has switched", answers: all, has: async () => (await stateOf()) === "active" },
  ];
  return {
    checkpoints,
    stateOf,
    /** Answers this many more large requests, or all. */
    answer(count = all) {
      allowed = answered + count;
    },
  };
}
