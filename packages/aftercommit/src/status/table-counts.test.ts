import { sql } from "drizzle-orm";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { StatusReport } from "@/app/_status/status-report.tsx";
import { declarations, statusForTests } from "@/tests/helpers/status-for-tests.ts";
import { readStatus } from "./read-status.ts";

const { database, embed, pend, fail, status } = statusForTests();
const { insertPost } = database;

async function page(): Promise<string> {
  const read = await readStatus(declarations, { db: () => database.db });
  return renderToStaticMarkup(createElement(StatusReport, { status: read }));
}

describe("the counts", () => {
  it("are those of rows with a vector, of entries of the inbox, and of those that failed", async () => {
    const [embedded, edited, failed, blank, settling] = [
      await insertPost(),
      await insertPost(),
      await insertPost(),
      await insertPost({ title: "", body: "" }),
      await insertPost(),
    ];
    for (const id of [embedded, edited, settling]) await embed(id);
    await embed(blank, { blank: true });
    for (const id of [edited, settling]) await pend(id);
    await database.db.execute(
      sql`update aftercommit.pending set settle_xid = accepted_xid where row_id = ${String(settling)}`,
    );
    await fail(failed);
    expect((await status()).counts).toMatchObject({ embedded: 3, pending: 1, failed: 1 });
  });

  it("say how long the oldest pending row has waited", async () => {
    expect((await status()).counts.oldestSeconds).toBeNull();
    await pend(await insertPost());
    await database.db.execute(
      sql`update aftercommit.pending set accepted_at = now() - interval '90 seconds'`,
    );
    expect((await status()).counts.oldestSeconds).toBeGreaterThanOrEqual(90);
  });

  it("end at 10,000, and the page says that there are more", async () => {
    await database.db.execute(sql`insert into aftercommit.pending
        (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
      select 'post', n::text, 'batch', n, now(), pg_current_xact_id(), now() from generate_series(1, 10100) n`);
    expect((await status()).counts.pending).toBe(10_001);
    expect(await page()).toContain("10,000+ posts wait for an embedding");
  });
});

describe("the rows", () => {
  it("that are pending are shown oldest first, of both queues, by their first declared column", async () => {
    const at = (minutes: number) => new Date(Date.UTC(2026, 0, 2, 3, minutes));
    const titles = ["Newest", "Middle", "Oldest"];
    for (const [index, title] of titles.entries())
      await pend(await insertPost({ title }), {
        queue: index === 1 ? "batch" : "realtime",
        changedAt: at(10 - index),
      });
    expect((await status()).pending).toMatchObject([
      { label: "Oldest", queue: "realtime", since: at(8) },
      { label: "Middle", queue: "batch", since: at(9) },
      { label: "Newest", queue: "realtime", since: at(10) },
    ]);
  });

  it("that failed are shown among many pending ones, with the provider's message and the next attempt", async () => {
    const failed = await insertPost({ title: "Failed" });
    await fail(failed, "Invalid 'input[0]': string too long.");
    for (let n = 0; n < 20; n += 1) await pend(await insertPost());
    const found = await status();
    expect(found.counts).toMatchObject({ failed: 1, pending: 20 });
    expect(found.pending).toHaveLength(5);
    expect(found.failed).toMatchObject([
      {
        id: String(failed),
        label: "Failed",
        error: "Invalid 'input[0]': string too long.",
        attempts: 1,
        nextAttempt: expect.any(Date),
      },
    ]);
    const html = await page();
    expect(html).toContain("1 post could not be embedded");
    expect(html).toContain("string too long. – tried once, again");
    expect(html).toContain('name="source" value="post"');
  });

  it("that do not exist any more are shown by their ids", async () => {
    await pend(999n);
    expect((await status()).pending).toMatchObject([{ id: "999", label: undefined }]);
    expect(await page()).toContain("post 999");
  });
});

it("the page is empty, and no error, when there is nothing", async () => {
  const { counts, pending, failed, deletions } = await status();
  expect(counts).toEqual({ embedded: 0, pending: 0, failed: 0, oldestSeconds: null, tokensToday: 0 });
  expect([pending, failed, deletions]).toEqual([[], [], []]);
  const html = await page();
  expect(html).toContain("There are no posts yet");
  expect(html).toContain("No posts yet. Insert one, and its embedding follows.");
});

it("a paused model is shown with the reason", async () => {
  await database.db.execute(sql`update aftercommit.models set paused_until = now() + interval '1 hour',
    pause_reason = 'the provider answers 401'`);
  const html = await page();
  await database.db.execute(sql`update aftercommit.models set paused_until = null, pause_reason = null`);
  expect(html).toContain(
    "Embedding with text-embedding-3-small is paused: the provider answers 401. Next attempt",
  );
});
