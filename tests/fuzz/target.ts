import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { configure, runs } from "@trigger.dev/sdk";
import pg from "pg";
import { startOpenAI } from "../../emulators/openai/start.ts";
import { buildApp, startApp } from "../helpers/browser/production.ts";
import { cloneProject } from "../helpers/clone.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { setup, teardown } from "../helpers/postgres-template.ts";
import { serve } from "../helpers/serve.ts";
import { startTriggerServer } from "../helpers/trigger-server.ts";
import { until } from "../helpers/until.ts";
import { PASSWORD, SECRET } from "./request.ts";

const KEY = "tr_prod_fuzz";

export type Run = { id: string; task: string; tags: string[] };

async function build(): Promise<string> {
  const folder = cloneProject();
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await buildApp(folder);
  return folder;
}

/**
 * The production build in another process, with a database, a Trigger.dev and a provider: this folder's build if it is
 * `built`, otherwise that of a copy.
 */
export async function startTarget({ built }: { built: boolean }) {
  const folder = built ? resolve(".") : await build();
  process.on("exit", teardown);
  await setup();
  const postgres = await startMigratedPostgres();
  const trigger = await startTriggerServer(KEY);
  const openai = await startOpenAI({ model: "hashing", log: () => {} });
  const provider = await serve([openai.app]);
  const app = await startApp(folder, {
    DATABASE_URL: postgres.url,
    SEQUIN_WEBHOOK_SECRET: SECRET,
    DASHBOARD_PASSWORD: PASSWORD,
    TRIGGER_SECRET_KEY: KEY,
    TRIGGER_API_URL: trigger.url,
    TRIGGER_PROJECT_REF: "proj_fuzz",
    OPENAI_API_KEY: "fuzz",
    OPENAI_BASE_URL: `${provider.url}/v1`,
    USER_DELETION_WEBHOOK_URLS: "none",
  });
  configure({ baseURL: trigger.url, accessToken: KEY });
  const pool = new pg.Pool({ connectionString: postgres.url, max: 1 });
  // Each part gets two seconds, less than the first query takes on a busy machine.
  await until(async () => (await fetch(`${app.url}/api/health`)).ok, {
    what: "health before the first request",
  });
  return {
    ...app,
    port: Number(new URL(app.url).port),
    /**
     * The rows in the inbox and in the ledger, as runs are tagged. Nothing executes runs here, so everything accepted
     * is there.
     */
    async rows(): Promise<Set<string>> {
      const { rows } = await pool.query<{ row: string }>(
        `select source || ':' || row_id as row from aftercommit.pending
         union all select source || ':' || row_id from aftercommit.deletions`,
      );
      return new Set(rows.map(({ row }) => row));
    },
    /** All runs that were triggered. */
    async runs(): Promise<Run[]> {
      const found: Run[] = [];
      for await (const { id, taskIdentifier, tags } of runs.list({ limit: 100 }))
        found.push({ id, task: taskIdentifier, tags });
      return found;
    },
    async stop() {
      await app.stop();
      await provider.close();
      await openai.close();
      await pool.end();
      await trigger.close();
      await postgres.close();
    },
  };
}

export type Target = Awaited<ReturnType<typeof startTarget>>;
