import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { databaseForTests } from "../posts-database.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { CASES, type Case } from "./cases.ts";

export type ChangeSource = {
  name: string;
  /** Whether it can be declared for deletions. Default: true. */
  deletes?: boolean;
  /** Whether it says which changes are of one commit. Default: true. */
  tellsCommits?: boolean;
  /** Cases that cannot come from it, each with the reason. */
  without?: Readonly<Record<string, string>>;
  /** Resolves when all changes of a case were delivered. */
  deliver(given: Case): Promise<unknown>;
};

/** Runs every case against a source. The inbox and the ledger must be the same for all of them. */
export function itConforms({
  name,
  deletes = true,
  tellsCommits = true,
  without = {},
  deliver,
}: ChangeSource) {
  const database = databaseForTests();
  const key = `tr_dev_source_${name}`;
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

  beforeAll(async () => {
    trigger = await startTriggerServer(key);
  });
  afterAll(() => trigger.close());
  beforeEach(async () => {
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    vi.stubEnv("TRIGGER_SECRET_KEY", key);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example/hook");
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    for (const level of ["info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation(() => {});
    await database.db.execute(
      sql`truncate aftercommit.pending, aftercommit.deletions, aftercommit.rate_limits`,
    );
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  const known = Object.keys(without);
  it("names only cases that there are", () => {
    expect(CASES.map((one) => one.name)).toEqual(expect.arrayContaining(known));
  });

  it.each(CASES.filter((one) => !known.includes(one.name)))("$name", async (given) => {
    await deliver(given);
    const { rows: inbox } = await database.db.execute(sql`
      select row_id as id, queue from aftercommit.pending where source = 'post' order by row_id::bigint`);
    const queueOf = (queue: string) => (tellsCommits ? queue : "realtime");
    expect(inbox).toEqual(given.inbox.map(({ id, queue }) => ({ id, queue: queueOf(queue) })));
    const { rows: deletions } = await database.db.execute(sql`
      select row_id as id, email from aftercommit.deletions where source = 'user' order by row_id, id`);
    expect(deletions).toEqual(deletes ? given.deletions : []);
  });
  return database;
}
