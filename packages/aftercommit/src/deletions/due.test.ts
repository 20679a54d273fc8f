import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { worldsForTests } from "@/tests/helpers/deletions/deletion-world.ts";
import { ENVIRONMENT, recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { known } from "@/tests/helpers/status-for-tests.ts";
import { diagnose } from "../doctor/diagnose.ts";
import { readStatus } from "../status/read-status.ts";
import { readDue, sayDue } from "./due.ts";
import { holdRow } from "./holds.ts";
import { resumeDeletions } from "./resume-deletions.ts";

const worlds = worldsForTests();
beforeEach(async () => {
  vi.stubEnv("DATABASE_URL", worlds.database.url);
  await worlds.database.db.execute(sql`truncate aftercommit.deletions, aftercommit.deletion_holds`);
});
afterEach(() => vi.unstubAllEnvs());

async function open(...days: number[]): Promise<string[]> {
  const { db } = worlds.database;
  return Promise.all(
    days.map(async (age) => {
      const rowId = randomUUID();
      const id = await recordedDeletion(db, { userId: rowId });
      await db.execute(sql`update aftercommit.deletions set requested_at = now() - ${age} * interval '1 day',
        run_id = 'run_live' where id = ${id}`);
      return rowId;
    }),
  );
}

const doctor = async (declaration = users) =>
  (await diagnose([declaration], { only: ["declarations"] })).find(
    ({ id }) => id === "declarations.deletions",
  );

describe("a slow deletion", () => {
  it("is overdue after the days of its declaration, and due soon in their last quarter", async () => {
    await open(22, 23, 29, 31);
    const { db } = worlds.database;
    expect(await readDue(db, users)).toEqual({ row: "user", overdue: 1, soon: 2 });
    expect(await readDue(db, { ...users, dueDays: 90 })).toEqual({ row: "user", overdue: 0, soon: 0 });
    expect(sayDue(await readDue(db, users))).toBe(
      "1 user deletion is overdue, 2 user deletions are due soon",
    );
  });

  it("is not counted when it has ended, or is on hold", async () => {
    const { db } = worlds.database;
    const [held = "", ended = ""] = await open(40, 40);
    await holdRow(db, { source: "user", rowId: held }, "a court asked for it");
    await db.execute(sql`update aftercommit.deletions set completed_at = now(), outcome = 'row_is_back'
      where row_id = ${ended}`);
    expect(await readDue(db, users)).toEqual({ row: "user", overdue: 0, soon: 0 });
  });

  it("is a warning of the doctor before it is due, and a failure after", async () => {
    expect(await doctor()).toMatchObject({ state: "ok" });
    await open(25);
    expect(await doctor()).toMatchObject({
      state: "warning",
      actual: "1 user deletion is due soon",
      fix: expect.stringContaining("npx aftercommit deletions list"),
    });
    expect(await doctor({ ...users, dueDays: 20 })).toMatchObject({ state: "failed" });
  });

  it("is on the page with the rows on hold, and in the log of each resumption", async () => {
    const { db } = worlds.database;
    const [held = ""] = await open(40, 40);
    await holdRow(db, { source: "user", rowId: held }, "a court asked for it");
    const status = known((await readStatus([users], { db: () => db })).deletions);
    expect(status).toMatchObject({
      due: [{ row: "user", overdue: 1, soon: 0 }],
      holds: [{ rowId: held, reason: "a court asked for it" }],
    });
    const lines: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
    const runs = {
      live: async () => new Set(["run_live"]),
      statusOf: async () => "EXECUTING",
      start: () => Promise.reject(new Error("started")),
    };
    await resumeDeletions(users, { id: "run_pass", environment: ENVIRONMENT }, { db, runs });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: "deletions.due", row: "user", overdue: 1, soon: 0 },
    ]);
  });
});
