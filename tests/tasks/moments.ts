import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Command } from "./command.ts";
import type { databaseForTests } from "./database.ts";
import type { strictProviderForTests } from "./strict-provider.ts";

const QUERIES_TO_COMPARE = 20;

/** `answers`: bulk requests that are answered from the command's start until its moment, the next one then waits. */
type Moment = { name: string; answers: number; has(command: Command): boolean | Promise<boolean> };

/** Breaks a connection off in place of an answer. */
const breakOff = (_: unknown, response: { destroy(): unknown }) => void response.destroy();

/** What a change of the model to `model` passes, one moment after the other, and the provider that it meets. */
export function momentsOf(
  { db }: Pick<ReturnType<typeof databaseForTests>, "db">,
  provider: ReturnType<typeof strictProviderForTests>,
  { model, posts }: { model: string; posts: number },
) {
  let [answered, allowed, broken] = [0, 0, false];
  const isBulk = (request: { model: string; input: readonly string[] }) =>
    request.model === model && request.input.length > QUERIES_TO_COMPARE;
  provider.rule = async (request, isGone) => {
    if (!isBulk(request)) return undefined;
    while (!isGone() && answered >= allowed) await sleep(20);
    if (isGone()) return undefined;
    answered += 1;
    if (answered < 3 || broken) return undefined;
    broken = true;
    return breakOff;
  };

  const stateOf = async () =>
    (await db.execute<{ state: string }>(sql`select state from embedding_models where name = ${model}`))
      .rows[0]?.state;
  const filled = (share: number) => async (command: Command) => {
    if (!command.output().includes("rows embedded by")) return false;
    const { rows } = await db.execute<{
      count: number;
    }>(sql`select count(*)::int as count from post_embeddings
      where model_id = (select id from embedding_models where name = ${model})`);
    return (rows[0]?.count ?? 0) > share * posts;
  };
  const all = Number.POSITIVE_INFINITY;
  const moments: Moment[] = [
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
      has: (command) => command.output().includes("the index"),
    },
    {
      name: "while both are compared",
      answers: all,
      has: () => provider.requests.some(({ input }) => input.length === QUERIES_TO_COMPARE),
    },
    { name: "as it switches", answers: all, has: (command) => command.output().includes("overlap@10") },
    { name: "when it has switched", answers: all, has: async () => (await stateOf()) === "active" },
  ];
  return {
    moments,
    stateOf,
    /** Answers so many more bulk requests, or all. */
    answer(count = all) {
      allowed = answered + count;
    },
  };
}
