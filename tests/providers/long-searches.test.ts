import { sql } from "drizzle-orm";
import { afterEach, expect, it, vi } from "vitest";
import { answerWith } from "../faulty-server.ts";
import { embeddingForTests } from "../tasks/embedding.ts";
import { refuse } from "../tasks/strict-provider.ts";

const { database, provider, insertPosts, work, pending } = embeddingForTests();

afterEach(() => void vi.useRealTimers());

it("a search for a bad text that takes long keeps the leases of what is left", async () => {
  const ids = await insertPosts(8, (n) => (n === 5 ? "bad" : `Body ${n}`));
  const untilDue: number[] = [];
  let clock = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: clock });
  provider.rule = async ({ input }) => {
    untilDue.push(...(await pending()).map(({ seconds }) => seconds));
    await database.db.execute(
      sql`update aftercommit.pending set next_attempt = clock_timestamp() + interval '1 minute'`,
    );
    // The lease is renewed every half minute.
    clock += 31_000;
    vi.setSystemTime(clock);
    return input.some((text) => text.includes("bad")) ? refuse("no") : undefined;
  };
  const { statuses } = await work(ids);
  expect([...statuses.values()].filter((status) => status === "embedded")).toHaveLength(7);
  expect(untilDue.length).toBeGreaterThan(3 * ids.length);
  expect(Math.min(...untilDue)).toBeGreaterThan(90);
});

it("a text that kills the server is found when the server is back, and the others are embedded", async () => {
  const ids = await insertPosts(4, (n) => (n === 2 ? "deadly" : `Body ${n}`));
  let starting = 0;
  provider.rule = ({ input }) => {
    if (starting > 0) {
      starting -= 1;
      return answerWith(503, '{"error":{"message":"Loading model"}}');
    }
    if (!input.some((text) => text.includes("deadly"))) return undefined;
    starting = 1;
    return (_, response) => void response.destroy();
  };
  const { statuses } = await work(ids);
  expect([...statuses].filter(([, status]) => status === "failed")).toEqual([[ids[2], "failed"]]);
  expect([...statuses.values()].filter((status) => status === "embedded")).toHaveLength(3);
});
