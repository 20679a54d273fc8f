import { readdirSync, readFileSync } from "node:fs";
import { runs } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { POST as createEmbeddingForPost } from "@/app/api/create-embedding-for-post/route.ts";
import { POST as deleteUser } from "@/app/api/delete-user/route.ts";
import { deletedUser } from "@/tests/helpers/deletions/deleted-user.ts";
import { newChange } from "@/tests/helpers/deliver.ts";
import { executeTask, loadTasks } from "@/tests/helpers/execute-task.ts";
import { databaseForTests } from "@/tests/helpers/posts-database.ts";
import { serve } from "@/tests/helpers/serve.ts";
import { startTriggerServer } from "@/tests/helpers/trigger-server.ts";

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

// Passes everything on to Trigger.dev, and records triggers.
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
  // Items arrive as a stream, and are passed on as a whole.
  headers.delete("transfer-encoding");
  return fetch(`${trigger.url}${pathname}${search}`, { method: req.method, headers, body });
});

beforeAll(async () => {
  [trigger, wire] = await Promise.all([startTriggerServer(KEY), serve([wiretap])]);
  await loadTasks(async () => {
    await import("@/trigger/reconcile-post-embeddings.ts");
    await import("@/trigger/resume-user-deletions.ts");
    await import("@/trigger/user-deletion-cleanup.ts");
  });
});
afterAll(() => Promise.all([wire.close(), trigger.close()]));
beforeEach(async () => {
  seen = [];
  await database.db.execute(sql`truncate aftercommit.deletions, aftercommit.pending`);
  await database.db.execute(sql`update aftercommit.sources set woken_at = null, reconciled_at = null`);
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

/** What triggers runs, by the file that calls Trigger.dev, and the triggered tasks. */
const CALLS: Record<string, [string, () => Promise<string[]>][]> = {
  "packages/aftercommit/src/runs/child-runs.ts": [
    [
      "the steps of a deletion",
      async () => {
        const { id, message } = deletedUser();
        // The ledger allows one run at a time, so the first must have ended.
        await runs.cancel((await (await deleteUser(posted(message))).json()).id);
        const { rows } = await database.db.execute<{ id: string }>(
          sql`select id::text from aftercommit.deletions where row_id = ${id}`,
        );
        const cleanUp = () => executeTask("user-deletion-cleanup", { deletionId: rows[0]?.id });
        await cleanUp();
        await database.db.execute(sql`update aftercommit.deletions set run_id = null, systems = (
          select jsonb_object_agg(name, jsonb_build_object('done_at', now())) from unnest(required_systems) name)`);
        await cleanUp();
        return ["user-deletion-cleanup", "clean-up-external-system", "send-deletion-confirmation"];
      },
    ],
  ],
  "packages/aftercommit/src/runs/trigger-run.ts": [
    [
      "an edit",
      async () => {
        await createEmbeddingForPost(posted(newChange()));
        await createEmbeddingForPost(posted({ record: { id: 1 } }));
        return ["create-embedding-for-post", "create-embedding-for-post"];
      },
    ],
    [
      "a row of a backfill",
      async () => {
        await createEmbeddingForPost(posted({ ...newChange(), action: "read" }));
        return ["create-embeddings-for-posts"];
      },
    ],
    [
      "the schedule of an embedded table",
      async () => {
        await database.insertPost();
        await executeTask("reconcile-post-embeddings", scheduled);
        return ["create-embeddings-for-posts"];
      },
    ],
    [
      "the schedule of deletions",
      async () => {
        const answer = await (await deleteUser(posted(deletedUser().message))).json();
        await runs.cancel(answer.id);
        await executeTask("resume-user-deletions", scheduled);
        return ["user-deletion-cleanup", "user-deletion-cleanup"];
      },
    ],
  ],
};

it.each(Object.values(CALLS).flat())("%s triggers nothing without an idempotency key", async (_, call) => {
  const tasks = await call();
  expect(seen).toEqual(tasks.map((task) => ({ task, key: isKey })));
});

it("no other file of the product triggers anything", () => {
  const files = ["app", "packages/aftercommit", "trigger"]
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
    )
    .filter((file) => /(?<!\.test)\.tsx?$/.test(file) && !file.includes("node_modules"));
  const triggering = files.filter((file) =>
    /\b(batchT|t)rigger(ByTask)?(AndWait)?(<\w+>)?\(/.test(
      readFileSync(file, "utf8").replaceAll(/function trigger\(|\btrigger\(run\)/g, ""),
    ),
  );
  expect(triggering.toSorted()).toEqual(Object.keys(CALLS));
});
