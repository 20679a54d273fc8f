import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runs, tasks } from "@trigger.dev/sdk";
import { Hono } from "hono";
import { expect } from "vitest";
import { POST } from "../../../app/api/delete-user/route.ts";
import { startExternalSystem } from "../../../emulators/external-system/start.ts";
import { startMail } from "../../../emulators/mail/start.ts";
import { startTrigger } from "../../../emulators/trigger/start.ts";
import { type Cli, removeProject, startCli } from "../../../emulators/trigger/tests/suite/cli.ts";
import { hasEnded } from "../../../packages/aftercommit/src/runs/statuses.ts";
import { descendantsOf } from "../processes.ts";
import { serve } from "../serve.ts";
import { copyTasks } from "../task-project.ts";
import { until } from "../until.ts";
import { deletedUser } from "./deleted-user.ts";
import { startDatabase } from "./deletions-database.ts";
import { systemAt } from "./recorded-deletion.ts";

const SEQUIN_SECRET = "a secret of the pipeline's tests";
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;

type Call = { system: string; userId: string; status: number };

/** Everything that a deletion passes through, each behind its real protocol. The test itself acts as Sequin. */
export async function startPipeline(systems: readonly string[]) {
  const dataDir = await mkdtemp(join(tmpdir(), "pipeline-"));
  const database = await startDatabase();
  const silent = () => {};
  const keys = { secretKey: "tr_dev_pipeline", accessToken: "tr_pat_pipeline" };
  let url = "";
  const trigger = await startTrigger({
    dataDir,
    // As with `npm run dev`: a process per run of a batch would take a second of a core.
    limits: { processPatienceMs: 1_000 },
    url: () => url,
    ...keys,
    log: silent,
  });
  const external = await startExternalSystem({ secret: WEBHOOK_SECRET, log: silent });
  const hold: { waiting: number; until?: Promise<void> } = { waiting: 0 };
  const held = new Hono().use("/local/external-system/:name/user-deleted", async (_, next) => {
    hold.waiting += 1;
    await hold.until;
    await next();
  });
  const http = await serve([trigger.app, held, external.app], trigger.attach);
  url = http.url;
  const mailOptions = { host: "127.0.0.1", dataDir: join(dataDir, "mail"), log: silent };
  let mail = await startMail({ ...mailOptions, port: 0 });

  const urls = systems.map((name) => `${http.url}/local/external-system/${name}/user-deleted`);
  const env = {
    DATABASE_URL: database.url,
    SEQUIN_WEBHOOK_SECRET: SEQUIN_SECRET,
    SMTP_URL: mail.url,
    MAIL_FROM: "no-reply@example.com",
    USER_DELETION_WEBHOOK_URLS: urls.join(","),
    USER_DELETION_WEBHOOK_SECRET: WEBHOOK_SECRET,
  };
  const project = await copyTasks(env);
  const target = { apiUrl: http.url, projectRef: "proj_pipeline", ...keys };
  const startTasks = () => startCli(project, target);
  let cli: Cli = await startTasks();
  Object.assign(process.env, env, { TRIGGER_SECRET_KEY: keys.secretKey, TRIGGER_API_URL: http.url });

  async function deliver(body: unknown) {
    const headers = { authorization: `Bearer ${SEQUIN_SECRET}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await POST(new Request("http://localhost:3000/api/delete-user", init));
    return { status: response.status, body: await response.json() };
  }

  return {
    database,
    systemOf: (name: string) => systemAt(`${http.url}/local/external-system/${name}/user-deleted`),
    deliver,
    /** Delivers a delete of a new user. Resolves with the user and the triggered run. */
    async deleteUser(changes: Parameters<typeof deletedUser>[0] = {}) {
      const user = deletedUser(changes);
      const { status, body } = await deliver(user.message);
      expect(status).toBe(200);
      return { ...user, run: String(body.id) };
    },
    ended: (id: string) =>
      until(
        async () => {
          const run = await runs.retrieve(id);
          return hasEnded(run.status) ? run : undefined;
        },
        { everyMs: 100, what: `end of ${id}`, progress: () => cli.output() },
      ),
    progress: () => cli.output(),
    /** The runs of one task about a user, with their attempts. */
    async runsOf(userId: string, task: string) {
      const page = await runs.list({ tag: `user:${userId}`, taskIdentifier: task, limit: 100 });
      return Promise.all(page.data.map(({ id }) => runs.retrieve(id)));
    },
    /** Does what the schedule does every ten minutes. */
    async resume() {
      const payload = {
        type: "IMPERATIVE",
        timestamp: new Date(),
        timezone: "UTC",
        scheduleId: "x",
        upcoming: [],
      };
      return (await tasks.trigger("resume-user-deletions", payload)).id;
    },
    async callsFor(userId: string) {
      const calls: Call[] = await (await external.app.request("/local/external-system/calls")).json();
      return calls.filter((call) => call.userId === userId).toReversed();
    },
    fail: (fault: { name: string; status: number; times?: number }) =>
      external.app.request("/local/external-system/faults", { method: "POST", body: JSON.stringify(fault) }),
    /** Answers no call of a system until the returned function is called. Resolves when one waits. */
    async holdCalls(work: () => Promise<void>): Promise<() => void> {
      let release = () => {};
      hold.waiting = 0;
      hold.until = new Promise((resolve) => {
        release = resolve;
      });
      await work();
      await until(async () => hold.waiting > 0, { what: "a call", progress: () => cli.output() });
      return release;
    },
    recover: () => external.app.request("/local/external-system/faults", { method: "DELETE" }),
    async mailsTo(address: string) {
      const mails: { to: string[]; messageId: string; receivedAt: string }[] = await (
        await mail.app.request("/local/mail")
      ).json();
      return mails.filter(({ to }) => to.includes(address));
    },
    stopMail: () => mail.close(),
    async startMailAgain() {
      mail = await startMail({ ...mailOptions, port: mail.port });
    },
    killWorkers() {
      for (const { pid, command } of descendantsOf(process.pid))
        if (command.startsWith("trigger-dev-run-worker")) process.kill(pid, "SIGKILL");
    },
    /** Reports a run like the CLI's watchdog reports those of a dead CLI; the run is canceled immediately. */
    async loseRun(id: string) {
      const headers = { authorization: `Bearer ${keys.secretKey}`, "content-type": "application/json" };
      const init = { method: "POST", headers, body: JSON.stringify({ runFriendlyIds: [id] }) };
      expect(await (await fetch(`${url}/engine/v1/dev/disconnect`, init)).json()).toEqual({ cancelled: 1 });
    },
    killCli: () => cli.kill(),
    async startCliAgain() {
      cli = await startTasks();
    },
    async close() {
      await cli.stop();
      await Promise.all([http.close(), mail.close()]);
      await Promise.all([trigger.close(), database.close()]);
      await Promise.all([removeProject(project), rm(dataDir, { recursive: true })]);
    },
  };
}
