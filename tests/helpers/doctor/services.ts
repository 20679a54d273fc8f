import { readdirSync } from "node:fs";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { POST as embedPost } from "../../../app/api/create-embedding-for-post/route.ts";
import { POST as deleteUser } from "../../../app/api/delete-user/route.ts";
import { startSequin } from "../../../emulators/sequin/start.ts";
import { database } from "../../../packages/aftercommit/src/db/database.ts";
import { findFailingParts } from "../../../packages/aftercommit/src/status/health.ts";
import { startSmtp } from "../deletions/smtp.ts";
import { answerWith, startFaultyServer } from "../faulty-server.ts";
import { databaseForTests } from "../posts-database.ts";
import { providerForTests } from "../providers/hashing-provider.ts";
import { serve } from "../serve.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { declarations } from "./diagnose.ts";

const KEY = "tr_dev_of_the_doctors_tests";
const SECRET = "the secret of the doctor's tests";

type Running = Awaited<ReturnType<typeof start>>;

async function start(databaseUrl: string) {
  const app = new Hono();
  app.post("/api/create-embedding-for-post", (c) => embedPost(c.req.raw));
  app.post("/api/delete-user", (c) => deleteUser(c.req.raw));
  app.get("/api/health", async (c) => {
    // Like the route, but patient: a busy machine is not a failure.
    const failing = await findFailingParts(declarations, { db: database, limitMs: 60_000 });
    return c.json({ failing }, failing.length > 0 ? 503 : 200);
  });
  const [web, trigger, smtp, system] = await Promise.all([
    serve([app]),
    startTriggerServer(KEY),
    startSmtp(),
    startFaultyServer(answerWith(204, "")),
  ]);
  const sequin = await startSequin({
    databaseUrl,
    configPath: "sequin.yaml",
    env: { DATABASE_URL: databaseUrl, APP_URL: web.url, SEQUIN_WEBHOOK_SECRET: SECRET },
    log: () => {},
  });
  return { web, trigger, smtp, system, sequin };
}

/** Registers the tasks of trigger/ with a Trigger.dev emulator, like `trigger.dev dev`. */
function registerTasks(url: string) {
  const tasks = readdirSync("trigger").map((file) => ({
    id: file.slice(0, -3),
    filePath: `trigger/${file}`,
  }));
  const metadata = { packageVersion: "4.8.3", contentHash: "tests", tasks };
  const path = "/api/v1/projects/proj_tests/background-workers";
  return triggerApi(url, KEY, "POST", path, { localOnly: true, metadata });
}

/** One request to a Trigger.dev emulator. */
export async function triggerApi(url: string, key: string, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Everything that the product needs, healthy and over real protocols, for the tests of a file. */
export function healthyServices() {
  const database = databaseForTests();
  const provider = providerForTests();
  let running: Running;

  beforeAll(async () => {
    running = await start(process.env.DATABASE_URL ?? "");
    await registerTasks(running.trigger.url);
  });
  beforeEach(() => {
    const variables = {
      SEQUIN_WEBHOOK_SECRET: SECRET,
      TRIGGER_SECRET_KEY: KEY,
      TRIGGER_API_URL: running.trigger.url,
      TRIGGER_PROJECT_REF: "proj_tests",
      SMTP_URL: running.smtp.url,
      MAIL_FROM: "Example <hello@example.com>",
      USER_DELETION_WEBHOOK_URLS: `crm=${running.system.url}/hook`,
      USER_DELETION_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
      APP_URL: running.web.url,
    };
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  });
  afterEach(() => {
    running.smtp.behave({});
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    await running.sequin.close();
    for (const part of [running.web, running.trigger, running.smtp, running.system]) await part.close();
  });

  return {
    database,
    provider,
    key: KEY,
    get trigger() {
      return running.trigger;
    },
    get smtp() {
      return running.smtp;
    },
    get system() {
      return running.system;
    },
  };
}
