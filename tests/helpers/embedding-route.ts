import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { restartServer, secret } from "./deliver.ts";
import { databaseForTests } from "./posts-database.ts";
import { startTriggerServer } from "./trigger-server.ts";

type Entry = { id: string; queue: string; changedAt: string | null };

/**
 * A database and a Trigger.dev for the posts' route in the tests of a file. Each test starts with an empty inbox and a
 * server that has counted no edits: files share their modules, so the route's own handler knows what others have sent.
 */
export function embeddingRouteForTests(name: string) {
  const database = databaseForTests();
  const key = `tr_dev_${name}`;
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  let lines: string[] = [];

  beforeAll(async () => {
    trigger = await startTriggerServer(key);
  });
  beforeEach(async () => {
    restartServer();
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    vi.stubEnv("TRIGGER_SECRET_KEY", key);
    lines = [];
    for (const level of ["info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(line));
    await database.db.execute(sql`truncate aftercommit.pending, aftercommit.rate_limits, aftercommit.drains`);
    await database.db.execute(sql`update aftercommit.sources set woken_at = null`);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  afterAll(() => trigger.close());

  return {
    database,
    triggerUrl: () => trigger.url,
    /** The log of this test. */
    logged: () => lines,
    eventsOf: () => lines.map((line) => JSON.parse(line).event),

    /** The rows in the inbox. */
    async inbox(): Promise<Entry[]> {
      const { rows } = await database.db.execute<Entry>(sql`
        select row_id as id, queue, to_char(changed_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "changedAt"
        from aftercommit.pending order by length(row_id), row_id`);
      return rows;
    },

    /** How many runs of each task there are. */
    async runsByTask(): Promise<Record<string, number>> {
      const counts: Record<string, number> = {};
      for await (const { taskIdentifier } of runs.list({ limit: 100 }))
        counts[taskIdentifier] = (counts[taskIdentifier] ?? 0) + 1;
      return counts;
    },

    async cancelAll(): Promise<void> {
      for await (const { id } of runs.list({ status: ["QUEUED"], limit: 100 })) await runs.cancel(id);
    },
  };
}
