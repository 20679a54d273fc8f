import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runs, tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, vi } from "vitest";
import { posts } from "../../../aftercommit.config.ts";
import { POST } from "../../../app/api/create-embedding-for-post/route.ts";
import { startTrigger } from "../../../emulators/trigger/start.ts";
import { type Cli, removeProject, startCli } from "../../../emulators/trigger/tests/suite/cli.ts";
import { database } from "../../../packages/aftercommit/src/db/database.ts";
import { wake } from "../../../packages/aftercommit/src/inbox/wake.ts";
import { descendantsOf } from "../processes.ts";
import { serve } from "../serve.ts";
import { startCommand } from "../start-command.ts";
import { copyTasks } from "../task-project.ts";
import { until } from "../until.ts";

const SECRET = "a secret of the workers' tests";
const KEYS = { secretKey: "tr_dev_workers", accessToken: "tr_pat_workers" };
const OPEN = ["PENDING_VERSION", "DELAYED", "QUEUED", "DEQUEUED", "EXECUTING", "WAITING"] as const;

/**
 * The real CLI with the product's tasks for the tests of a file, the route in this process, and the commands as
 * processes, with the database and the provider of the environment. The test acts as Sequin.
 */
export function workersForTests() {
  let env: Record<string, string> = {};
  let cli: Cli;
  let changes = 0;
  const endings: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "workers-"));
    let url = "";
    const trigger = await startTrigger({ dataDir, url: () => url, ...KEYS, log: () => {} });
    const http = await serve([trigger.app], trigger.attach);
    url = http.url;
    env = {
      DATABASE_URL: process.env.DATABASE_URL ?? "",
      OPENAI_BASE_URL: process.env.OPENAI_BASE_URL ?? "",
      OPENAI_API_KEY: process.env.OPENAI_API_KEY ?? "",
      TRIGGER_API_URL: url,
      TRIGGER_SECRET_KEY: KEYS.secretKey,
      SEQUIN_WEBHOOK_SECRET: SECRET,
      USER_DELETION_WEBHOOK_URLS: "none",
    };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    const project = await copyTasks(env);
    cli = await startCli(project, { apiUrl: url, projectRef: "proj_workers", ...KEYS });
    endings.push(
      () => cli.stop(),
      http.close,
      trigger.close,
      () => removeProject(project),
      () => rm(dataDir, { recursive: true }),
    );
  });
  afterAll(async () => {
    for (const end of endings) await end();
    vi.unstubAllEnvs();
  });

  async function openRuns(): Promise<number> {
    return (await runs.list({ status: [...OPEN], limit: 100 })).data.length;
  }

  return {
    output: () => cli.output(),
    /** Resolves when no run waits or executes. */
    idle: () =>
      until(async () => (await openRuns()) === 0, {
        everyMs: 100,
        what: "end of all runs",
        progress: () => cli.output(),
      }),
    /** Resolves when only failed rows wait in the inbox. What was killed is tried again. */
    async emptied(): Promise<void> {
      const pending = async () => {
        const { rows } = await database().execute<{ count: number }>(
          sql`select count(*)::int as count from aftercommit.pending where error is null`,
        );
        return rows[0]?.count;
      };
      await until(
        async () => {
          await wake(database(), posts);
          return (await pending()) === 0;
        },
        { everyMs: 500, what: "empty inbox", progress: async () => [await pending(), cli.output()] },
      );
    },
    /** Resolves when few runs wait or execute, so that on a slow machine edits do not pile up before the drain. */
    calm: () =>
      until(async () => (await openRuns()) < 10, {
        everyMs: 100,
        what: "end of most runs",
        progress: () => cli.output(),
      }),
    /** Delivers a committed change of a post to the route, like Sequin. */
    async deliver(action: "insert" | "update" | "delete", id: string): Promise<void> {
      changes += 1;
      const metadata = {
        table_schema: "public",
        table_name: "posts",
        commit_timestamp: new Date().toISOString(),
        idempotency_key: `workers:${changes}`,
        record_pks: [id],
      };
      const message = { action, record: { id: Number(id) }, changes: null, metadata };
      const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify({ data: [message] }) };
      const request = () => new Request("http://localhost/api/create-embedding-for-post", init);
      await until(async () => (await POST(request())).status === 200, { what: `delivery of ${id}` });
    },
    /** Runs the scheduled task once. */
    async schedule(task: string): Promise<void> {
      const timestamp = new Date();
      await tasks.trigger(task, {
        type: "IMPERATIVE",
        timestamp,
        timezone: "UTC",
        scheduleId: "x",
        upcoming: [],
      });
      await this.idle();
    },
    /** Kills the processes that execute runs, and ends their leases now, so that no one waits for two minutes. */
    async killAll(): Promise<void> {
      for (const { pid, command } of descendantsOf(process.pid))
        if (command.startsWith("trigger-dev-run-worker")) process.kill(pid, "SIGKILL");
      await database().execute(
        sql`update aftercommit.pending set next_attempt = clock_timestamp() where lease is not null`,
      );
    },
    start: (name: string, ...args: string[]) => startCommand(name, args, env),
  };
}

export type Workers = ReturnType<typeof workersForTests>;
