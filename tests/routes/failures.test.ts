import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findUnprocessed } from "../../drizzle/queries/unprocessed-messages.ts";
import { databaseForTests } from "../tasks/database.ts";
import { until } from "../until.ts";

const SECRET = "a secret of the failures' tests";
const database = databaseForTests();

let post: (request: Request) => Promise<Response>;
let logged: string[];

beforeEach(async () => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", SECRET);
  logged = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void logged.push(line));
  // Other files of this process have failed as well: here nothing is known of them.
  vi.resetModules();
  ({ POST: post } = await import("../../app/api/delete-user/route.ts"));
});
afterEach(async () => {
  vi.useRealTimers();
  await (await import("../../drizzle/client.ts")).disconnect();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const deliver = (secret: string, address = "203.0.113.7") =>
  post(
    new Request("http://localhost/api/delete-user", {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "x-forwarded-for": `198.51.100.1, ${address}` },
      body: '{"data":[]}',
    }),
  );

const failures = (count: number) => Array.from({ length: count }, () => deliver("wrong"));

describe("an address that has failed five hundred times", () => {
  it("waits for its next refusal, and is answered at once with the right secret", async () => {
    await Promise.all(failures(10));
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const held = failures(500);
    const answered = vi.fn();
    for (const answer of held.slice(0, 100)) void answer.then(answered);
    // The clock stands still: whatever waits for it waits for ever.
    expect((await deliver(SECRET)).status).toBe(200);
    expect((await deliver(SECRET, "203.0.113.8")).status).toBe(200);
    expect(answered).not.toHaveBeenCalled();
    vi.advanceTimersByTime(3_000);
    expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([401]));
  });
});

it("failures are counted for the page, and one line in the log says how many and where, not from whom", async () => {
  await Promise.all(failures(5));
  const [row] = await until(
    async () => {
      const rows = await findUnprocessed(database.db, { days: 7, limit: 8 });
      return rows.length > 0 ? rows : undefined;
    },
    { what: "the count" },
  );
  expect(row).toMatchObject({
    route: "/api/delete-user",
    outcome: "refused",
    reason: "missing or wrong secret",
  });
  const lines = logged.filter((line) => line.includes("access.refused"));
  expect(lines).toEqual(['{"event":"access.refused","of":"1 /api/delete-user missing or wrong secret"}']);
});
