import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { configure, queues, runs } from "@trigger.dev/sdk";
import { z } from "zod";
import { startSequin } from "../../emulators/sequin/start.ts";
import { startCli } from "../../emulators/trigger/tests/suite/cli.ts";
import { startApp } from "../../tests/helpers/browser/production.ts";
import { until } from "../../tests/helpers/until.ts";
import { startLocal } from "./local.ts";
import { startOldTrigger } from "./old-trigger.ts";
import { type Project, projectOf } from "./project.ts";
import { type Provider, startProvider, type Tier } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";

const KEYS = { secretKey: "tr_dev_local", accessToken: "tr_pat_local" };
export const SECRET = "a secret of the benchmarks";
const PROJECT_REF = "proj_bench";
const BUSY = ["create-embedding-for-post", "create-embeddings-for-posts"];

const apiStats = z.object({ requests: z.number(), refused: z.number() });

type Options = {
  /** How long the provider takes per request. */
  delayMs: number;
  tier?: Tier;
  /** False if the benchmark delivers the changes itself. */
  sequin?: boolean;
  /** How many API requests Trigger.dev answers per minute. Default: all. */
  requestsPerMinute?: number;
  /** Whether Trigger.dev is an older server, which ignores concurrency limits. */
  isOldTrigger?: boolean;
};

/**
 * Everything that a change passes through, each in its process, with the real CLI and a production build of the app.
 */
export type Stack = {
  project: Project;
  provider: Provider;
  appUrl: string;
  /** The process of the app. */
  appPid: number;
  /** Changes the database while Sequin is stopped, which never hears of it: as if its slot had been dropped. */
  unseen(work: () => Promise<void>): Promise<void>;
  /** Makes Sequin send all posts as `read` messages. */
  backfill(): Promise<void>;
  /** Runs `npm run reconcile -- --full`, which waits for the inbox. Ignores its failure if texts have failed. */
  reconcile(): Promise<void>;
  /** The number of runs of some tasks. Default: of all tasks that embed. */
  runs(...tasks: string[]): Promise<number>;
  /** The API requests that Trigger.dev received, and those over its limit. */
  apiRequests(): Promise<z.infer<typeof apiStats>>;
  /** Resolves when no run of these waits or executes. */
  idle(): Promise<void>;
  /** Ends the CLI, so that runs only wait. */
  stopTasks(): Promise<void>;
  startTasks(): Promise<void>;
  stop(): Promise<void>;
};

async function countRuns(taskIdentifier: string[]): Promise<number> {
  let count = 0;
  for await (const _ of runs.list({ taskIdentifier, limit: 100 })) count += 1;
  return count;
}

async function runsLeft(): Promise<number> {
  // A queue that Trigger.dev does not know yet has no runs.
  const known = await Promise.allSettled(BUSY.map((name) => queues.retrieve({ type: "task", name })));
  return known.reduce(
    (sum, queue) => sum + (queue.status === "fulfilled" ? queue.value.queued + queue.value.running : 0),
    0,
  );
}

async function idle(): Promise<void> {
  await until(async () => (await runsLeft()) === 0, {
    everyMs: 100,
    progress: runsLeft,
    what: "the end of all runs",
  });
}

export async function startStack(
  name: Project["name"],
  database: FreshDatabase,
  { tier, delayMs, sequin: hasSequin = true, requestsPerMinute, isOldTrigger }: Options,
): Promise<Stack> {
  const project = await projectOf(name);
  const { folder, sink } = project;
  const provider = await startProvider(folder, tier);
  await provider.delay(delayMs);
  const emulator = await startLocal(
    folder,
    ["trigger"],
    requestsPerMinute === undefined ? {} : { LOCAL_TRIGGER_RATE_LIMIT: `${requestsPerMinute}` },
  );
  const old = isOldTrigger ? await startOldTrigger(emulator.url) : undefined;
  const { url: triggerUrl } = old ?? emulator;
  const variables: Record<string, string> = {
    DATABASE_URL: database.url,
    SEQUIN_WEBHOOK_SECRET: SECRET,
    TRIGGER_SECRET_KEY: KEYS.secretKey,
    TRIGGER_API_URL: triggerUrl,
    TRIGGER_PROJECT_REF: PROJECT_REF,
    OPENAI_API_KEY: "bench",
    OPENAI_BASE_URL: `${provider.url}/v1`,
    USER_DELETION_WEBHOOK_URLS: "none",
    ...(tier && {
      EMBEDDING_TOKENS_PER_MINUTE: `${tier.tokensPerMinute}`,
      EMBEDDING_REQUESTS_PER_MINUTE: `${tier.requestsPerMinute}`,
    }),
  };
  // The CLI passes this file to the tasks.
  writeFileSync(
    join(folder, ".env"),
    Object.entries(variables)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}\n`)
      .join(""),
  );
  configure({ baseURL: triggerUrl, accessToken: KEYS.secretKey });
  const startTasks = () => startCli(folder, { apiUrl: triggerUrl, projectRef: PROJECT_REF, ...KEYS });
  let cli = await startTasks();
  const app = await startApp(folder, variables);
  const openSequin = () =>
    startSequin({
      databaseUrl: database.url,
      configPath: join(folder, "sequin.yaml"),
      env: { DATABASE_URL: database.url, APP_URL: app.url, SEQUIN_WEBHOOK_SECRET: SECRET },
      log: () => {},
    });
  let sequin = hasSequin ? await openSequin() : undefined;
  return {
    project,
    provider,
    appUrl: app.url,
    appPid: app.pid,
    async unseen(work) {
      await sequin?.close();
      await work();
      if (!sequin) return;
      // Its triggers have recorded the changes.
      await database.client.query("delete from sequin_local.change");
      sequin = await openSequin();
    },
    backfill: async () => sequin?.backfill(sink, "public.posts"),
    runs: (...tasks) => countRuns(tasks.length > 0 ? tasks : BUSY),
    async apiRequests() {
      return apiStats.parse(await (await fetch(`${triggerUrl}/local/trigger/stats`)).json());
    },
    idle,
    async reconcile() {
      const command = ["run", "--silent", "reconcile", "--", "--full"];
      await promisify(execFile)("npm", command, { cwd: folder }).catch((error: unknown) => {
        if (!/rows have failed/.test(String(error))) throw error;
      });
    },
    stopTasks: () => cli.stop(),
    async startTasks() {
      cli = await startTasks();
    },
    async stop() {
      await sequin?.close();
      await app.stop();
      await cli.stop();
      await old?.close();
      await emulator.stop();
      await provider.stop();
    },
  };
}
