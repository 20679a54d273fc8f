import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { ENVIRONMENT, recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { hasEnded } from "../runs/statuses.ts";
import type { TaskRun } from "../runs/trigger-run.ts";
import { holdRow, releaseRow } from "./holds.ts";
import { resumeDeletions } from "./resume-deletions.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.db.execute(sql`delete from aftercommit.deletions`));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

type Added = {
  runId?: string | null;
  environment?: string | null;
  failed?: boolean;
  /** Minutes since anything was recorded. */
  quiet?: number;
  bouncedFor?: number;
};

async function add({ runId, environment = ENVIRONMENT, failed = false, quiet = 2, bouncedFor }: Added = {}) {
  const id = await recordedDeletion(database.db);
  const minutes = (count: number) => sql`now() - ${count} * interval '1 minute'`;
  await database.db.execute(sql`
    update aftercommit.deletions set run_id = ${runId === undefined ? `run_${id}` : runId},
      environment = ${environment}, last_error = ${failed ? "Not clean: crm" : null}, updated_at = ${minutes(quiet)},
      confirmation_refused_at = ${bouncedFor === undefined ? sql`null` : minutes(quiet + bouncedFor)}
    where id = ${id}`);
  return id;
}

/** One pass, while Trigger.dev knows the deletions' runs with these statuses. */
async function pass(statusOf: (runId: string) => string | undefined, source = users) {
  const started: TaskRun[] = [];
  const asked: string[] = [];
  const { rows } = await database.db.execute<{ id: string }>(
    sql`select run_id as id from aftercommit.deletions where run_id is not null`,
  );
  const live = rows.map(({ id }) => id).filter((id) => !hasEnded(statusOf(id) ?? "COMPLETED"));
  const runs = {
    live: async () => new Set(live),
    statusOf: async (runId: string) => {
      asked.push(runId);
      return statusOf(runId);
    },
    start: async (run: TaskRun) => `run_resumed_${started.push(run)}`,
  };
  const named = { id: "run_pass", environment: ENVIRONMENT };
  const { triggered } = await resumeDeletions(source, named, { db: database.db, runs });
  expect(triggered).toBe(started.length);
  const ids = started.map(
    ({ payload }) => Object.entries(payload).find(([name]) => name === "deletionId")?.[1],
  );
  return { ids, started, asked };
}

describe("resuming deletions that no run works on", () => {
  it.each(["CANCELED", "CRASHED", "EXPIRED", "SYSTEM_FAILURE", "COMPLETED", undefined])(
    "takes one whose run is %s immediately, when the run said nothing of a failure",
    async (status) => {
      const id = await add({ quiet: 0 });
      expect((await pass(() => status)).ids).toEqual([id]);
    },
  );

  it.each(["FAILED", "TIMED_OUT", undefined])(
    "takes one whose run failed and is %s after an hour, so that its systems can recover",
    async (status) => {
      await add({ failed: true, quiet: 59 });
      const id = await add({ failed: true, quiet: 61 });
      expect((await pass(() => status)).ids).toEqual([id]);
    },
  );

  it.each(["QUEUED", "DEQUEUED", "EXECUTING", "WAITING", "DELAYED", "PENDING_VERSION"])(
    "leaves one whose run is %s alone, however long it takes, without asking for it",
    async (status) => {
      await add({ quiet: 600 });
      expect(await pass(() => status)).toMatchObject({ ids: [], asked: [] });
    },
  );

  it("leaves one alone whose run lives although the list of live runs does not have it yet", async () => {
    await add({ runId: "run_new" });
    const live = async () => new Set<string>();
    const start = () => Promise.reject(new Error("started"));
    const context = { db: database.db, runs: { live, statusOf: async () => "QUEUED", start } };
    const named = { id: "run_pass", environment: ENVIRONMENT };
    expect(await resumeDeletions(users, named, context)).toEqual({ triggered: 0 });
  });

  it("takes one that never had a run after a minute, with the key of its first trigger", async () => {
    await add({ runId: null, environment: null, quiet: 0.5 });
    const id = await add({ runId: null, environment: null, quiet: 1.5 });
    const { ids, started } = await pass(() => undefined);
    expect(ids).toEqual([id]);
    const { row_id: userId, requested_at: at } = await database.deletion(id);
    expect(started).toEqual([
      {
        task: "user-deletion-cleanup",
        payload: { userId, deletionId: id },
        tags: [`user:${userId}`],
        idempotencyKey: `user-deletion.${id}.${at.getTime()}`,
        idempotencyKeyTTL: "3650d",
      },
    ]);
    expect(await database.deletion(id)).toMatchObject({ run_id: "run_resumed_1", environment: ENVIRONMENT });
  });

  it("takes none that has ended, and none of another declared table", async () => {
    const id = await add({ quiet: 600 });
    expect((await pass(() => "CANCELED", { ...users, row: "account" })).ids).toEqual([]);
    await database.db.execute(sql`
      update aftercommit.deletions set completed_at = now(), outcome = 'row_is_back' where id = ${id}`);
    expect((await pass(() => "CANCELED")).ids).toEqual([]);
  });

  it("takes none that another environment began, whatever its run's id says here", async () => {
    await add({ environment: "proj_tests/env_other", quiet: 600 });
    for (const status of ["CANCELED", "FAILED", undefined])
      expect(await pass(() => status)).toMatchObject({ ids: [], asked: [] });
  });

  it("takes one that no run has taken yet only when its run is known here, and says which it leaves", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
    const known = await add({ environment: null, quiet: 600 });
    const unknown = await add({ environment: null, quiet: 600 });
    const { ids } = await pass((runId) => (runId === `run_${known}` ? "FAILED" : undefined));
    expect(ids).toEqual([known]);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { event: "deletion.left_alone", deletionId: unknown, runId: `run_${unknown}` },
    ]);
  });

  it("takes one whose address bounces less and less often: after as long as it has bounced", async () => {
    await add({ failed: true, bouncedFor: 600, quiet: 599 });
    const due = await add({ failed: true, bouncedFor: 600, quiet: 601 });
    await add({ failed: true, bouncedFor: 0, quiet: 59 });
    const first = await add({ failed: true, bouncedFor: 0, quiet: 61 });
    expect((await pass(() => "FAILED")).ids.toSorted()).toEqual([due, first].toSorted());
  });

  it("goes through all of them, page by page, and looks up only the runs of the orphaned ones", async () => {
    for (let n = 0; n < 250; n += 1) await add();
    const isEven = (runId: string) => Number(runId.slice(4)) % 2 === 0;
    const { ids, asked } = await pass((runId) => (isEven(runId) ? "CANCELED" : "EXECUTING"));
    expect(ids).toHaveLength(125);
    expect(asked).toHaveLength(125);
  });

  it("finds the one canceled run among 5,000 open deletions in one pass, with one lookup of a single run", async () => {
    await database.db.execute(sql`
      insert into aftercommit.deletions (source, row_id, position, accepted_xid, required_systems, run_id, environment, updated_at)
      select 'user', gen_random_uuid(), n::text, pg_current_xact_id(), '{crm}', 'run_' || n, ${ENVIRONMENT}, now() - interval '1 hour'
      from generate_series(1, 5000) n`);
    const { started, asked } = await pass((runId) => (runId === "run_4998" ? "CANCELED" : "EXECUTING"));
    expect(asked).toEqual(["run_4998"]);
    expect(started).toHaveLength(1);
  });

  it("takes none that is on hold, and takes it in the next pass after its release, whatever failed before", async () => {
    const id = await add({ failed: true, quiet: 61 });
    const row = { source: "user", rowId: (await database.deletion(id)).row_id };
    await holdRow(database.db, row, "a court asked for it");
    expect((await pass(() => "COMPLETED")).ids).toEqual([]);
    await database.db.execute(sql`update aftercommit.deletions set updated_at = now()`);
    await releaseRow(database.db, row);
    expect((await pass(() => "COMPLETED")).ids).toEqual([id]);
  });

  it("takes none before its next step is due", async () => {
    const id = await add();
    const dueIn = (minutes: number) =>
      database.db.execute(
        sql`update aftercommit.deletions set next_at = now() + ${minutes} * interval '1 minute' where id = ${id}`,
      );
    await dueIn(1);
    expect((await pass(() => "COMPLETED")).ids).toEqual([]);
    await dueIn(-1);
    expect((await pass(() => "COMPLETED")).ids).toEqual([id]);
    expect((await database.deletion(id)).next_at).toBeNull();
  });

  it("leaves a resumed one alone while its new run lives, and forgets the error of the last one", async () => {
    const id = await add({ failed: true, quiet: 61 });
    await pass(() => "FAILED");
    await database.db.execute(sql`update aftercommit.deletions set updated_at = now() - interval '1 day'`);
    expect((await pass((runId) => (runId === "run_resumed_1" ? "QUEUED" : "FAILED"))).ids).toEqual([]);
    expect(await database.deletion(id)).toMatchObject({ run_id: "run_resumed_1", last_error: null });
  });

  it("triggers nothing twice when a pass is repeated, and another run for the next pass", async () => {
    const id = await add();
    expect((await pass(() => "CANCELED")).started[0]?.idempotencyKey).toBe(`run_pass:${id}`);
  });
});
