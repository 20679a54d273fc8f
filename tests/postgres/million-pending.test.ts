import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as config from "../../aftercommit.config.ts";
import { connect, type Database, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { declarationsOf } from "../../packages/aftercommit/src/declare/declarations.ts";
import { isAnythingDue } from "../../packages/aftercommit/src/inbox/drains.ts";
import { leaseDue } from "../../packages/aftercommit/src/inbox/lease.ts";
import { readStatus } from "../../packages/aftercommit/src/status/read-status.ts";
import { readTableCounts } from "../../packages/aftercommit/src/status/table-counts.ts";
import { type Plan, plansOf, stepsOf } from "../helpers/plan.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { realPostgres } from "../helpers/real-postgres.ts";

// The most that the view counts, and one more.
const MOST = 10_001;

describe.skipIf(!realPostgres)("with 1,000,000 rows in the inbox (needs TEST_DATABASE_URL)", () => {
  let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let db: Database;

  beforeAll(async () => {
    postgres = await startMigratedPostgres();
    db = connect(postgres.url, { statementTimeoutMs: 0 });
    await db.execute(sql`
      insert into aftercommit.pending (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt, error)
      select 'post', n::text, case when n % 10 = 0 then 'realtime' else 'batch' end, n, now() - interval '1 hour', '1',
        now() - interval '1 second' * (n % 3600), case when n % 20 = 7 then 'it failed' end
      from generate_series(1, 1000000) n`);
    await db.execute(sql`vacuum analyze aftercommit.pending`);
  });
  afterAll(async () => {
    await disconnect();
    await postgres.close();
  });

  /** The plan steps of all statements that read the inbox. */
  async function stepsOfInbox(run: (db: Database) => Promise<unknown>): Promise<string[]> {
    const plans = await plansOf(postgres.url, run);
    return plans.flatMap(stepsOf).filter((step) => /pending/.test(step));
  }

  const rowsRead = (plan: Plan): number[] => [
    ...(/Scan/.test(plan["Node Type"]) ? [(plan["Actual Rows"] ?? 0) * (plan["Actual Loops"] ?? 1)] : []),
    ...(plan.Plans ?? []).flatMap(rowsRead),
  ];

  /** Fails if a step of a statement reads more rows than are counted or shown. */
  async function expectFewRows(run: (db: Database) => Promise<unknown>): Promise<void> {
    const plans = await plansOf(postgres.url, run);
    expect(plans.length).toBeGreaterThan(0);
    for (const plan of plans)
      expect(Math.max(0, ...rowsRead(plan)), stepsOf(plan).join(" > ")).toBeLessThanOrEqual(MOST);
  }

  it("the status page reads no more rows than it counts and shows, by indexes", async () => {
    const read = async (client: Database) => {
      const status = await readStatus(declarationsOf(config), { db: () => client });
      expect(status.tables).toMatchObject([
        { status: { known: true, value: { counts: { pending: MOST, failed: MOST } } } },
      ]);
    };
    await expectFewRows(read);
    expect((await stepsOfInbox(read)).filter((step) => /Seq Scan/.test(step))).toEqual([]);
  });

  it("the view of the status counts them up to 10,001, and knows the oldest", async () => {
    const [counts] = [...(await readTableCounts(db)).values()];
    expect(counts).toMatchObject({ pending: MOST, failed: MOST });
    expect(counts?.oldestSeconds).toBeGreaterThan(3_599);
  });

  it("that anything is due is known by the first entry", async () => {
    const plans = await plansOf(postgres.url, (client) => isAnythingDue(client, "post"));
    for (const plan of plans) expect(Math.max(...rowsRead(plan))).toBeLessThanOrEqual(1);
  });

  it("a lease reads as many entries as it takes", async () => {
    const plans = await plansOf(postgres.url, (client) => leaseDue(client, "post", "batch", 500));
    for (const plan of plans) expect(Math.max(...rowsRead(plan))).toBeLessThanOrEqual(500);
  });
});
