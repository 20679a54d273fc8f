import { sql } from "drizzle-orm";
import { afterEach, expect, it, vi } from "vitest";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { answerWith } from "@/tests/helpers/faulty-server.ts";

const { database, provider, insertPosts, work, pending } = embeddingForTests();

afterEach(() => void vi.useRealTimers());

it("a worker keeps its leases while the provider takes its time", async () => {
  const ids = await insertPosts(3, (n) => `Body ${n}`);
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const seconds = async () => (await pending()).map((entry) => entry.seconds);
  provider.rule = async () => {
    await database.db.execute(
      sql`update aftercommit.pending set next_attempt = clock_timestamp() + interval '5 seconds'`,
    );
    vi.advanceTimersByTime(15_000);
    await expect.poll(async () => Math.min(...(await seconds()))).toBeGreaterThan(30);
    return undefined;
  };
  const { statuses } = await work(ids);
  expect([...statuses.values()]).toEqual(["embedded", "embedded", "embedded"]);
  expect(vi.getTimerCount()).toBe(0);
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
