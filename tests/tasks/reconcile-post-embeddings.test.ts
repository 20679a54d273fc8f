import { runs } from "@trigger.dev/sdk";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { embedPost } from "../../lib/embeddings/embed-post.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks, taskOf } from "./execute-task.ts";

const ID = "reconcile-post-embeddings";
const database = databaseForTests();
let server: Awaited<ReturnType<typeof startTriggerServer>>;

beforeAll(async () => {
  server = await startTriggerServer("tr_dev_reconcile");
  vi.stubEnv("TRIGGER_API_URL", server.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_reconcile");
  await loadTasks(() => import("../../trigger/reconcile-post-embeddings.ts"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

const scheduled = {
  type: "DECLARATIVE",
  scheduleId: "s",
  timestamp: new Date(),
  timezone: "UTC",
  upcoming: [],
};

it("is scheduled", () => {
  expect(taskOf(ID)).toMatchObject({ triggerSource: "schedule", schedule: { cron: "*/10 * * * *" } });
});

it("triggers a run for each post whose embedding is missing or stale, and for no other", async () => {
  const embed = async () => ({ vectors: [new Array(1_536).fill(1)], tokens: 1 });
  const [missing, stale, current] = [
    await database.insertPost(),
    await database.insertPost(),
    await database.insertPost(),
  ];
  for (const id of [stale, current]) await embedPost(id, { embed });
  await database.updatePost(stale, { body: "Changed while nobody looked" });

  expect(await executeTask(ID, scheduled)).toMatchObject({ ok: true });
  const triggered = await Promise.all(
    (await runs.list({ taskIdentifier: "create-embedding-for-post" })).data.map(({ id }) =>
      runs.retrieve(id),
    ),
  );
  expect(triggered.map(({ tags }) => tags).toSorted()).toEqual([[`post:${missing}`], [`post:${stale}`]]);
  for (const { payload } of triggered)
    expect(payload).toMatchObject({ action: "read", metadata: { table_name: "posts" } });
  expect(triggered.map(({ ttl }) => ttl)).toEqual(["14d", "14d"]);
});
