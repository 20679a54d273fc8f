import { tasks } from "@trigger.dev/sdk";
import { Webhook } from "standardwebhooks";
import { deliveryPages } from "../../../emulators/sequin/console/pages.tsx";
import { openDatabase } from "../../../emulators/sequin/tests/database.ts";
import { ok, startReceiver, status } from "../../../emulators/sequin/tests/receiver.ts";
import { startStack } from "../../../emulators/sequin/tests/stack.ts";
import { type ConsoleStack, startConsoleStack } from "../../../emulators/stack/tests/console-stack.ts";
import { builtInError } from "../../../emulators/trigger/tests/helpers/worker.ts";
import { until } from "../until.ts";

/** The console after some work: runs that succeeded, failed or are still going, deliveries, an e-mail and a call. */
export async function openScene() {
  const database = await openDatabase();
  await database.sql("create table posts (id int primary key, title text, body text)");
  const receiver = await startReceiver();
  const sequin = await startStack({
    databaseUrl: database.url,
    url: receiver.url,
    sinks: [{ name: "posts-embedding", source: { include_tables: ["public.posts"] } }],
    pace: { backoffBaseMs: 60_000 },
  });
  const stack = await startConsoleStack({ deliveries: deliveryPages(() => sequin) });
  const runs = await makeRuns(stack);
  receiver.answer = (received, response) =>
    (received.messages.some(({ record }) => record.id === 2) ? status(503) : ok)(received, response);
  await database.sql(
    "insert into posts values (1, 'The Future of AI', 'Models grow.'), (2, 'Gardening', 'Peas first.')",
  );
  await until(
    async () => (await sequin.deliveries()).filter(({ deliverCount }) => deliverCount > 0).length === 2,
    {
      what: "two deliveries",
    },
  );
  const mail = await sendConfirmation(stack);
  await callExternalSystem(stack);
  return {
    ...stack,
    runs,
    mail,
    sequin,
    async close() {
      await stack.close();
      await sequin.close();
      await receiver.close();
      await database.close();
    },
  };
}

export type Scene = Awaited<ReturnType<typeof openScene>>;

async function makeRuns({ worker, url }: ConsoleStack) {
  await worker.register([
    { id: "create-embedding-for-post", retry: { maxAttempts: 3 } },
    { id: "user-deletion-cleanup" },
    { id: "clean-up-external-system" },
    { id: "reconcile-post-embeddings" },
  ]);
  const take = async () => worker.start(await worker.take());

  await tasks.trigger(
    "create-embedding-for-post",
    { action: "insert", record: { id: 1 } },
    { tags: ["post:1"] },
  );
  const done = await take();
  await worker.succeed(done, { postId: "1", status: "embedded", chunks: 1, tokens: 9, model: "hashing" });

  await tasks.trigger(
    "create-embedding-for-post",
    { action: "update", record: { id: 2 } },
    { tags: ["post:2"], idempotencyKey: "posts:2:change-17" },
  );
  const failing = await take();
  const log = (severityText: string, text: string) => ({
    timeUnixNano: `${Date.now()}000000`,
    severityText,
    body: { stringValue: text },
    attributes: [],
  });
  await worker.call("POST", "/otel/v1/logs", {
    resourceLogs: [
      {
        resource: { attributes: [{ key: "$metadata.ctx.run.id", value: { stringValue: failing.run } }] },
        scopeLogs: [
          { logRecords: [log("INFO", "read post 2"), log("ERROR", "the provider refused the key")] },
        ],
      },
    ],
  });
  const error = {
    ...builtInError,
    name: "AuthenticationError",
    message: "401 Incorrect API key provided.",
    stackTrace:
      "AuthenticationError: 401 Incorrect API key provided.\n    at embedPost (lib/embeddings/provider.ts:41:11)",
  };
  await worker.complete(failing, { ok: false, error });

  await tasks.trigger("user-deletion-cleanup", { userId: "u-1" }, { tags: ["user:u-1"] });
  const parent = await take();
  const child = await worker.trigger(
    "clean-up-external-system",
    { parentRunId: parent.run },
    { system: "crm" },
  );
  const executing = await take();
  const queued = await worker.trigger("reconcile-post-embeddings", { delay: "1h" });
  return {
    url,
    done: done.run,
    failed: failing.run,
    parent: parent.run,
    child: child.id,
    executing,
    queued: queued.id,
  };
}

/** Returns the URL of the e-mail's page. */
async function sendConfirmation({ transport, get }: ConsoleStack): Promise<string> {
  await transport.sendMail({
    from: "Aftercommit <no-reply@example.com>",
    to: "john.doe@example.com",
    subject: "Your account has been deleted",
    text: "Hello,\n\nyour account and the data kept with it have been deleted.\n",
    html: '<p style="font-family: sans-serif">Hello,</p><p>your account and the data kept with it have been deleted.</p>',
    messageId: "<deletion-1@example.com>",
  });
  return /\/mails\/mail_\w+/.exec((await get("/mails")).html)?.[0] ?? "";
}

async function callExternalSystem({ url, secret }: ConsoleStack): Promise<void> {
  const at = new Date();
  const data = { user_id: "6f2c2a51-93a5-4f0a-8a52-3a9d4b3e6c11" };
  const body = JSON.stringify({ type: "user.deleted", timestamp: at.toISOString(), data });
  const headers = {
    "webhook-id": "user-deletion:6f2c2a51:crm",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("user-deletion:6f2c2a51:crm", at, body),
  };
  await fetch(`${url}/local/external-system/crm/user-deleted`, { method: "POST", headers, body });
}
