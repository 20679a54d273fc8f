import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { POST } from "../../../app/api/delete-user/route.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { startDatabase } from "./deletions-database.ts";

const secret = "a secret of the deletion route's tests";

/** A database and a Trigger.dev for the users' route in the tests of a file. */
export function deletionRouteForTests(name: string) {
  const key = `tr_dev_${name}`;
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
  let database: Awaited<ReturnType<typeof startDatabase>>;
  let lines: string[] = [];

  beforeAll(async () => {
    [trigger, database] = await Promise.all([startTriggerServer(key), startDatabase()]);
  });
  afterAll(() => Promise.all([trigger.close(), database.close()]));

  beforeEach(() => {
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
    vi.stubEnv("TRIGGER_SECRET_KEY", key);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    vi.stubEnv("DATABASE_URL", database.url);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example/s3cret");
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    lines = [];
    for (const level of ["info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((line: string) => void lines.push(line));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  return {
    get database() {
      return database;
    },
    get triggerUrl() {
      return trigger.url;
    },
    /** The log of this test. */
    logged: () => lines,

    async deliver(body: unknown, token = secret) {
      const request = new Request("http://localhost:3000/api/delete-user", {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const response = await POST(request);
      return { status: response.status, body: await response.json() };
    },

    /** How many deletions are in the ledger. */
    async deletions() {
      const { rows } = await database.db.execute(sql`select from aftercommit.deletions`);
      return rows.length;
    },
  };
}
