import { readdirSync, readFileSync } from "node:fs";
import { runs } from "@trigger.dev/sdk";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { POST as createEmbeddingForPost } from "../../app/api/create-embedding-for-post/route.ts";
import { POST as deleteUser } from "../../app/api/delete-user/route.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { externalSystems } from "../../lib/deletions/external-systems.ts";
import { deletedUser } from "../deletions/messages.ts";
import { recorded } from "../fixtures/recorded.ts";
import { serve } from "../serve.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { databaseForTests } from "./database.ts";
import { executeTask, loadTasks } from "./execute-task.ts";

const KEY = "tr_dev_keys";
const secret = "a secret of the idempotency keys' tests";
const database = databaseForTests();
const bodySchema = z.object({
  task: z.string().optional(),
  options: z.object({ idempotencyKey: z.string().optional() }).optional(),
});

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let wire: Awaited<ReturnType<typeof serve>>;
let seen: { task: string; key: string | undefined }[];

// Passes everything on to Trigger.dev, and notes what triggers.
const wiretap = new Hono().all("*", async ({ req }) => {
  const { pathname, search } = new URL(req.url);
  const body = req.method === "GET" ? undefined : await req.text();
  const task = /^\/api\/v\d\/tasks\/([^/]+)\/trigger$/.exec(pathname)?.[1];
  const items = /^\/api\/v\d\/batches\/[^/]+\/items$/.test(pathname) ? body?.split("\n").filter(Boolean) : [];
  for (const item of task && body !== undefined ? [body] : (items ?? [])) {
    const asked = bodySchema.parse(JSON.parse(item));
    seen.push({ task: task ?? asked.task ?? "", key: asked.options?.idempotencyKey });
  }
  const headers = new Headers(req.raw.headers);
  // Items come as a stream, and are passed on whole.
  headers.delete("transfer-encoding");
  return fetch(`${trigger.url}${pathname}${search}`, { method: req.method, headers, body });
});

beforeAll(async () => {
  [trigger, wire] = await Promise.all([startTriggerServer(KEY), serve([wiretap])]);
  await loadTasks(async () => {
    await import("../../trigger/reconcile-post-embeddings.ts");
    await import("../../trigger/resume-user-deletions.ts");
    await import("../../trigger/user-deletion-cleanup.ts");
  });
});
afterAll(() => Promise.all([wire.close(), trigger.close()]));
beforeEach(() => {
  seen = [];
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_API_URL", wire.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "https://crm.example.com/user-deleted");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", `whsec_${Buffer.alloc(32, 3).toString("base64")}`);
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const posted = (message: unknown) =>
  new Request("http://localhost/api/route", {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(message),
  });

const timestamp = new Date("2026-01-02T03:00:00.000Z");
const scheduled = { type: "DECLARATIVE", scheduleId: "s", timestamp, timezone: "UTC", upcoming: [] };
const isKey = expect.stringMatching(/^[0-9a-f]{64}$/);

const CALLS: Record<string, () => Promise<{ task: string; times: number }>> = {
  "lib/runs/trigger-bulk.ts": async () => {
    await database.insertPost();
    await executeTask("reconcile-post-embeddings", scheduled);
    return { task: "create-embeddings-for-posts", times: 1 };
  },
  "lib/runs/trigger-run.ts": async () => {
    await createEmbeddingForPost(posted(recorded("01_posts_insert")));
    await createEmbeddingForPost(posted({ record: { id: 1 } }));
    return { task: "create-embedding-for-post", times: 2 };
  },
  "trigger/resume-user-deletions.ts": async () => {
    const answer = await (await deleteUser(posted(deletedUser().message))).json();
    await runs.cancel(answer.id);
    await executeTask("resume-user-deletions", scheduled);
    return { task: "user-deletion-cleanup", times: 2 };
  },
  "trigger/user-deletion-cleanup.ts": async () => {
    const { id, message } = deletedUser();
    // The ledger has one run at a time: the first has to have ended.
    await runs.cancel((await (await deleteUser(posted(message))).json()).id);
    await executeTask("user-deletion-cleanup", { userId: id });
    expect(seen.map(({ task }) => task)).toContain("clean-up-external-system");
    const clean = externalSystems().map(({ name }) => [name, { done_at: timestamp.toISOString() }]);
    await database.db.update(userDeletions).set({ systems: Object.fromEntries(clean) });
    await executeTask("user-deletion-cleanup", { userId: id });
    return { task: "send-deletion-confirmation", times: 1 };
  },
};

it.each(Object.entries(CALLS))("%s triggers nothing without an idempotency key", async (_, call) => {
  const { task, times } = await call();
  expect(seen.filter((trigger) => trigger.task === task)).toEqual(
    new Array(times).fill({ task, key: isKey }),
  );
  expect(seen.filter(({ key }) => key === undefined)).toEqual([]);
});

it("no other file of the product triggers anything", () => {
  const files = ["app", "lib", "trigger"]
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
    )
    .filter((file) => /\.tsx?$/.test(file));
  const triggering = files.filter((file) =>
    /\b(batchT|t)rigger(ByTask)?(AndWait)?(<\w+>)?\(/.test(
      readFileSync(file, "utf8").replaceAll(/function trigger<|\btrigger\(run\)/g, ""),
    ),
  );
  expect(triggering.toSorted()).toEqual(Object.keys(CALLS));
});

it("a message that nothing tells apart is a change of its own at each delivery, with a key of its own", async () => {
  for (let time = 0; time < 2; time += 1) await createEmbeddingForPost(posted({ record: { id: 1 } }));
  expect(seen.map(({ key }) => key)).toEqual([isKey, isKey]);
  expect(new Set(seen.map(({ key }) => key)).size).toBe(2);
});
