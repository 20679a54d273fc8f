import { exec } from "node:child_process";
import { promisify } from "node:util";
import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import {
  declarations,
  findingsOf,
  problemOf,
  problems,
  problemsIn,
  said,
} from "@/tests/helpers/doctor/diagnose.ts";
import { instead } from "@/tests/helpers/doctor/instead.ts";
import { healthyServices, triggerApi } from "@/tests/helpers/doctor/services.ts";
import { sinks } from "@/tests/helpers/doctor/sinks.ts";
import { answerWith, type Fault } from "@/tests/helpers/faulty-server.ts";
import { defineTrigger } from "../define.ts";
import { type CheckId, categoryOf } from "./checks.ts";

const services = healthyServices();

/** Executes a fix on the database, word for word. */
const follow = (fix: string) => services.database.db.execute(sql.raw(fix));

it("finds nothing where all is well, and mails, triggers and notifies nobody", async () => {
  const runs = () => triggerApi(services.trigger.url, services.key, "GET", "/api/v1/runs");
  const [requests, before] = [services.system.state.requests, await runs()];
  const findings = await findingsOf();
  expect(problemsIn(findings)).toEqual([]);
  const actual = Object.fromEntries(findings.map((finding) => [finding.id, finding.actual]));
  expect(actual["database.connection"]).toMatch(/on this machine/);
  expect(actual["capture.wal"]).toMatch(/Sequin captures changes by triggers/);
  expect(services.system.state.requests).toBe(requests);
  expect(services.smtp.messagesTo("")).toEqual([]);
  expect(await runs()).toEqual(before);
});

it.each([
  ["a variable that is not set", "MAIL_FROM", "", "failed"],
  ["a variable that is malformed", "SMTP_URL", "mail.example.com", "failed"],
  ["a secret that can be guessed", "SEQUIN_WEBHOOK_SECRET", "hunter2", "warning"],
])("environment.variables finds %s", async (_, name, value, state) => {
  vi.stubEnv(name, value);
  const found = await problemOf("environment.variables");
  expect(found).toMatchObject({ state, fix: expect.stringContaining(`Set ${name}`) });
  expect(JSON.stringify(found)).not.toContain("hunter2");
});

const MODELS = "update aftercommit.models set ";
const VECTOR = "update pg_extension set extversion =";
const CAPTURE = "comment on schema sequin_local is";
const REVERSE = "update aftercommit.sources set fingerprint = reverse(fingerprint) where name = 'post'";
const FORGET = "delete from aftercommit.pending";
const pending = (values: string) => `insert into aftercommit.pending
  (source, row_id, queue, version, accepted_xid, accepted_at, next_attempt, error)
  values ('post', '1', 'batch', 1, pg_current_xact_id(), ${values})`;

it.each<[CheckId, what: string, says: RegExp, fault: string, undo: string]>([
  [
    "database.pgvector",
    "a version with known errors",
    /^0\.8\.1 → Install .* then: alter extension vector update$/,
    `${VECTOR} '0.8.1' where extname = 'vector'`,
    `${VECTOR} '0.8.5' where extname = 'vector'`,
  ],
  [
    "database.migrations",
    "a migration that is not applied",
    /^missing: \d{3}_\w+ → npx aftercommit migrate$/,
    "update aftercommit.migrations set name = name || '_later'",
    "update aftercommit.migrations set name = replace(name, '_later', '')",
  ],
  [
    "database.model",
    "that no model is active",
    /no embedding model yet.* → npx aftercommit migrate$/,
    `${MODELS} state = 'retired'`,
    `${MODELS} state = 'active'`,
  ],
  [
    "database.model",
    "a model that is paused",
    /^paused: text-embedding-3-small: answers 401 → .* --only provider/,
    `${MODELS} paused_until = now() + interval '1 hour', pause_reason = 'answers 401'`,
    `${MODELS} paused_until = null`,
  ],
  [
    "provider.vectors",
    "a model that the provider does not have",
    /text-embedding-9.* → Let .* npx aftercommit reembed --model NAME$/,
    `${MODELS} name = 'text-embedding-9'`,
    `${MODELS} name = 'text-embedding-3-small'`,
  ],
  [
    "provider.vectors",
    "vectors of another width",
    /a vector of 1536 numbers.* → npx aftercommit reembed --model hashing$/,
    `${MODELS} name = 'hashing', dimensions = 512`,
    `${MODELS} name = 'text-embedding-3-small', dimensions = 1536`,
  ],
  [
    "declarations.tables",
    "a table whose WAL lacks what its declaration needs, with the statement that adds it",
    /row: "user".*, email.*alter table public\.users replica identity full.* → .* as each message says$/,
    "alter table users replica identity default",
    "alter table public.users replica identity full",
  ],
  [
    "declarations.tables",
    "an e-mail column that was renamed after the migration",
    /row: "user".*email.* → .* as each message says$/,
    "alter table users rename email to mail",
    "alter table users rename mail to email",
  ],
  [
    "declarations.recorded",
    "another declaration than the database has",
    /is not the one that the database has.* → npx aftercommit migrate$/,
    REVERSE,
    REVERSE,
  ],
  [
    "declarations.rows",
    "rows that failed",
    /^post: 1 failed, 0 pending.* → The status page/,
    pending("now(), now() + interval '1 hour', 'too long'"),
    FORGET,
  ],
  [
    "declarations.rows",
    "rows that have been pending for hours",
    /1 pending, the oldest for 120 minutes → .*--only trigger,provider/,
    pending("now() - interval '2 hours', now(), null"),
    FORGET,
  ],
  [
    "capture.wal",
    "that nothing captures the changes",
    /^wal_level is replica → alter system set wal_level = 'logical'/,
    `${CAPTURE} null`,
    `${CAPTURE} 'an emulator of Sequin captures changes by triggers'`,
  ],
])("%s finds %s", async (id, _, says, fault, undo) => {
  await follow(fault);
  expect(said(await problemOf(id).finally(() => follow(undo)))).toMatch(says);
  expect(await problems(categoryOf(id))).toEqual([]);
});

it("database.connection finds a database that does not answer, which ends every category that needs it", async () => {
  vi.stubEnv("DATABASE_URL", "postgres://postgres:s3cretpass@db.invalid:5432/postgres");
  const findings = await findingsOf("database", "capture", "provider");
  expect(findings.map(({ id, state }) => `${id} ${state}`)).toEqual([
    "database.connection failed",
    "capture.wal failed",
    "capture.sinks skipped",
    "provider.vectors failed",
  ]);
  expect(findings[1]?.actual).toMatch(/ENOTFOUND|EAI_AGAIN/);
  expect(findings[1]?.fix).toMatch(/^Start the database, or correct DATABASE_URL/);
  expect(JSON.stringify(findings)).not.toContain("s3cretpass");
});

it("declarations.sequin and trigger.tasks find a declaration without a sink and a task", async () => {
  const orders = defineTrigger({ row: "order", table: "public.posts", key: "id", task: "send-invoice" });
  const of = [...declarations, orders];
  const sink = await problemOf("declarations.sequin", { of, isAlone: false });
  expect(said(sink)).toBe("+ sink order-send-invoice → npx aftercommit sequin");
  expect(said(await problemOf("trigger.tasks", { of }))).toMatch(/: send-invoice → npx trigger\.dev dev,/);
});

describe("of Sequin", () => {
  const patched: unknown[] = [];
  /** Sequin's API, as far as the doctor and its fixes use it. */
  const sequin =
    (data: object[], { url = "", status = 200 } = {}): Fault =>
    (request, response) => {
      if (request.method === "PATCH") patched.push(request.url);
      const endpoints = [{ name: "app", url: url || process.env.APP_URL }];
      const body = JSON.stringify({ data: request.url === "/api/sinks" ? data : endpoints });
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    };
  const withSequin = <T>(fault: Fault, work: () => Promise<T>) => {
    vi.stubEnv("SEQUIN_API_TOKEN", "a token of the console");
    return instead("SEQUIN_API_URL", fault, work);
  };
  const { posts, users } = sinks;
  const error = "Unexpected status code: 401";
  const health = { status: "error", checks: [{ name: "Message delivery", status: "error", error }] };
  const failing = { ...posts, health };
  const renamed = { ...posts, source: { include_tables: ["public.old"] } };
  const elsewhere = { url: "https://old.example.com" };

  it.each<[CheckId, what: string, says: RegExp, fault: Fault]>([
    ["capture.sinks", "a missing sink", /no sink delivers to \S+delete-user → Restart Seq/, sequin([posts])],
    [
      "capture.sinks",
      "other actions",
      / insert of .* → Restart/,
      sequin([posts, { ...users, actions: ["insert"] }]),
    ],
    ["capture.sinks", "another table", / of public\.old → Restart/, sequin([renamed, users])],
    ["capture.sinks", "another app", /old\.example\.com.* → Set APP_URL/, sequin([posts, users], elsewhere)],
    ["capture.sinks", "an unknown token", /401 .* → Set SEQUIN_API_TOKEN/, sequin([], { status: 401 })],
    ["capture.deliveries", "an error", /code: 401 → Set the same SEQUIN_WEBHOOK/, sequin([failing, users])],
  ])("%s finds %s", async (id, _, says, fault) => {
    expect(said(await withSequin(fault, () => problemOf(id)))).toMatch(says);
  });

  it("capture.sinks finds a paused sink, and the fix activates it", async () => {
    await withSequin(sequin([{ ...posts, status: "paused" }, users]), async () => {
      const { actual, fix } = await problemOf("capture.sinks");
      expect(actual).toBe("posts-embedding is paused");
      await promisify(exec)(fix);
    });
    expect(patched).toEqual(["/api/sinks/posts-embedding"]);
  });

  it("nothing where its sinks are those of the declarations", async () => {
    expect(await withSequin(sequin([posts, users]), () => problems("capture"))).toEqual([]);
  });
});

it("trigger.key finds a key that Trigger.dev does not know", async () => {
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_of_another_project");
  expect(said(await problemOf("trigger.key"))).toMatch(/^Trigger\.dev answers 401 → Set TRIGGER_SECRET_KEY/);
});

it("trigger.queues finds a paused queue, and the fix resumes it", async () => {
  const queue = "/api/v1/queues/user-deletion-cleanup/pause";
  await triggerApi(services.trigger.url, services.key, "POST", queue, { type: "task", action: "pause" });
  const found = await problemOf("trigger.queues");
  expect(found.actual).toBe("user-deletion-cleanup is paused, 0 queued");
  await promisify(exec)(found.fix);
  expect(await problems("trigger")).toEqual([]);
});

it.each([
  ["a key that the provider does not know", { status: 401 }, /^Set OPENAI_API_KEY/],
  ["a quota that is used up", { status: 429, code: "insufficient_quota" }, /^Add credit/],
])("provider.vectors finds %s", async (_, fault, fix) => {
  await services.provider.fail(fault);
  expect((await problemOf("provider.vectors")).fix).toMatch(fix);
});

it("provider.vectors finds an error in an answer of 200, and advises no other model", async () => {
  const loading = answerWith(200, '{"error":{"message":"It is loading","code":503}}');
  const found = await instead("OPENAI_BASE_URL", loading, () => problemOf("provider.vectors"));
  expect(found).toMatchObject({ state: "failed", actual: "answers 503 It is loading" });
  expect(found.fix).not.toContain("reembed");
});
