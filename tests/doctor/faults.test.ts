import { exec } from "node:child_process";
import { promisify } from "node:util";
import { sql } from "drizzle-orm";
import { describe, expect, it, vi } from "vitest";
import { answerWith, type Fault } from "../faulty-server.ts";
import { until } from "../until.ts";
import { diagnose, findProblem, onlyProblem, problems, problemsIn } from "./diagnose.ts";
import { instead } from "./instead.ts";
import { healthyServices, triggerApi } from "./services.ts";
import { sinks } from "./sinks.ts";

const services = healthyServices();
const json = { "content-type": "application/json" };

/** Does to the database what a remedy says, word for word. */
const follow = (mend: string) => services.database.db.execute(sql.raw(mend));

it("finds nothing where all is well, and says what is a stand-in or on this machine", async () => {
  const results = await diagnose();
  expect(problemsIn(results)).toEqual([]);
  expect(results.filter(({ state }) => state === "skipped")).toEqual([]);
  const seen = Object.fromEntries(results.map((result) => [result.id, result.seen]));
  expect(seen["database.reachable"]).toMatch(/on this machine/);
  expect(seen["capture.logical"]).toMatch(/stand-in for Sequin/);
  expect(seen["environment.stand-ins"]).toMatch(
    /Postgres, Trigger\.dev, .*provider, .*mail server, external/,
  );
});

it("sends no mail, triggers no run and tells no external system", async () => {
  const requests = services.system.state.requests;
  const runsBefore = await triggerApi(services.trigger.url, services.key, "GET", "/api/v1/runs");
  await diagnose();
  expect(services.system.state.requests).toBe(requests);
  expect(services.smtp.messagesTo("")).toEqual([]);
  expect(await triggerApi(services.trigger.url, services.key, "GET", "/api/v1/runs")).toEqual(runsBefore);
});

describe("of the environment it finds", () => {
  it.each([
    ["a variable that is not set", "MAIL_FROM", "", "environment.variables", "host lets"],
    ["one that is malformed", "SMTP_URL", "mail.example.com", "environment.malformed", "SMTP_URL"],
    [
      "a secret that can be guessed",
      "SEQUIN_WEBHOOK_SECRET",
      "hunter2",
      "environment.secrets",
      "openssl rand",
    ],
  ])("%s", async (_, name, value, id) => {
    vi.stubEnv(name, value);
    const found = await onlyProblem(id);
    expect(found.mend).toContain(name);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });
});

describe("of the database it finds", () => {
  it("one that does not answer, and does not ask it again for what depends on it", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://postgres:s3cretpass@db.invalid:5432/postgres");
    const found = await onlyProblem("database.reachable");
    expect(found.seen).toMatch(/ENOTFOUND|EAI_AGAIN/);
    const results = await diagnose("database", "capture");
    expect(results.find(({ id }) => id === "capture.slot")).toMatchObject({ state: "skipped" });
    expect(JSON.stringify(results)).not.toContain("s3cretpass");
  });

  it("a migration that is not applied", async () => {
    const { db } = services.database;
    const newest = sql`(select max(abs(created_at)) from drizzle.__drizzle_migrations)`;
    const turn = sql`update drizzle.__drizzle_migrations set created_at = -created_at where abs(created_at) = ${newest}`;
    await db.execute(turn);
    const found = await onlyProblem("database.migrations");
    await db.execute(turn);
    expect(found.seen).toMatch(/missing: \d{4}_/);
    expect(found.mend).toBe("npm run migrate");
    expect(await problems("database")).toEqual([]);
  });

  it("a variable that names another model than its vectors are of", async () => {
    vi.stubEnv("EMBEDDING_MODEL", "text-embedding-3-large");
    const found = await onlyProblem("database.model");
    expect(found.mend).toMatch(/^Leave EMBEDDING_MODEL out/);
    vi.stubEnv("EMBEDDING_MODEL", "");
    expect(await problems("database")).toEqual([]);
  });

  it("a pgvector with known errors", async () => {
    const { db } = services.database;
    const version = sql`select extversion from pg_extension where extname = 'vector'`;
    const { rows } = await db.execute<{ extversion: string }>(version);
    await db.execute(sql`update pg_extension set extversion = '0.8.1' where extname = 'vector'`);
    const found = await onlyProblem("database.pgvector");
    await db.execute(
      sql`update pg_extension set extversion = ${rows[0]?.extversion} where extname = 'vector'`,
    );
    expect(found).toMatchObject({ state: "warning", mend: "alter extension vector update" });
    expect(await problems("database")).toEqual([]);
  });

  it.each(["posts", "users"])(
    "that %s does not log the whole old row, and the remedy mends it",
    async (table) => {
      await follow(`alter table ${table} replica identity default`);
      const found = await onlyProblem("capture.tables");
      expect(found.mend).toBe(`alter table public.${table} replica identity full`);
      await follow(found.mend);
      expect(await problems("capture")).toEqual([]);
    },
  );
});

describe("of Sequin it finds", () => {
  it("that nobody captures the changes where wal_level is not logical", async () => {
    const { db } = services.database;
    const comment = sql`select obj_description(oid, 'pg_namespace') as text from pg_namespace where nspname = 'sequin_local'`;
    const { rows } = await db.execute<{ text: string }>(comment);
    await db.execute(sql`comment on schema sequin_local is null`);
    const found = await findProblem("capture.logical");
    expect(found).toMatchObject({ seen: "replica", mend: expect.stringContaining("wal_level = 'logical'") });
    await db.execute(sql.raw(`comment on schema sequin_local is '${rows[0]?.text}'`));
    expect(await problems("capture")).toEqual([]);
  });

  const withSinks = <T>(data: unknown, work: () => Promise<T>) => {
    vi.stubEnv("SEQUIN_API_TOKEN", "a token of the console");
    return instead("SEQUIN_API_URL", answerWith(200, JSON.stringify({ ok: true, data })), work);
  };

  it("nothing where its sinks are those of the file", async () => {
    expect(await withSinks(sinks, () => problems("capture"))).toEqual([]);
  });

  it.each([
    ["a sink that is missing", [sinks[0]], "there is no sink users-deletion"],
    ["one that is paused", [{ ...sinks[0], status: "paused" }, sinks[1]], "posts-embedding is paused"],
    ["other actions", [sinks[0], { ...sinks[1], actions: ["insert", "delete"] }], "has the actions insert"],
    [
      "another route",
      [{ ...sinks[0], destination: { ...sinks[0].destination, http_endpoint_path: "/" } }, sinks[1]],
      "posts-embedding delivers to /",
    ],
  ])("%s", async (_, data, seen) => {
    const found = await withSinks(data, () => onlyProblem("capture.sinks"));
    expect(found.seen).toContain(seen);
    expect(found.mend).toBe("sequin config apply sequin.yaml");
  });

  it("that it does not deliver", async () => {
    const failing = [{ ...sinks[0], health: { status: "error" } }, sinks[1]];
    const found = await withSinks(failing, () => onlyProblem("capture.sinks"));
    expect(found.seen).toBe("not delivering: posts-embedding");
  });

  it("a token that it does not know, or itself not healthy", async () => {
    vi.stubEnv("SEQUIN_API_TOKEN", "a token of the console");
    const refuse: Fault = (request, response) =>
      void response.writeHead(request.url === "/health" ? 200 : 401, json).end("{}");
    const found = await instead("SEQUIN_API_URL", refuse, () => onlyProblem("capture.sinks"));
    expect(found.mend).toMatch(/^Set SEQUIN_API_TOKEN/);
    const ill = await instead("SEQUIN_API_URL", answerWith(500, "{}"), () => onlyProblem("capture.sequin"));
    expect(ill.seen).toBe("/health answers 500");
  });
});

describe("of Trigger.dev it finds", () => {
  it("a key that it refuses", async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_of_another_project");
    const found = await onlyProblem("trigger.key");
    expect(found.seen).toMatch(/401/);
    expect(found.mend).toMatch(/^Set TRIGGER_SECRET_KEY/);
    vi.stubEnv("TRIGGER_SECRET_KEY", services.key);
    expect(await problems("trigger")).toEqual([]);
  });

  it("a queue that is paused, and the remedy resumes it", async () => {
    const queue = "/api/v1/queues/user-deletion-cleanup/pause";
    await triggerApi(services.trigger.url, services.key, "POST", queue, { type: "task", action: "pause" });
    const found = await onlyProblem("trigger.paused");
    expect(found.seen).toContain("user-deletion-cleanup");
    await promisify(exec)(found.mend, { env: { ...process.env, TRIGGER_SECRET_KEY: services.key } });
    expect(await problems("trigger")).toEqual([]);
  });

  it("runs that wait for a version", async () => {
    const { url } = services.trigger;
    const answer = await triggerApi(url, services.key, "POST", "/api/v1/tasks/of-tomorrow/trigger", {
      payload: "{}",
      options: { ttl: "1d" },
    });
    const { id } = answer;
    const status = async () =>
      (await triggerApi(url, services.key, "GET", `/api/v3/runs/${id}`)).status === "PENDING_VERSION";
    const dequeue = new AbortController();
    const headers = { authorization: `Bearer ${services.key}`, ...json };
    void fetch(`${url}/engine/v1/dev/dequeue`, {
      method: "POST",
      headers,
      body: JSON.stringify({ currentWorker: "worker_x", oldWorkers: [] }),
      signal: dequeue.signal,
    }).catch(() => {});
    await until(status, { what: "the run to wait for a version" });
    dequeue.abort();
    const found = await onlyProblem("trigger.waiting");
    expect(found.seen).toContain(id);
    await triggerApi(url, services.key, "POST", `/api/v2/runs/${id}/cancel`);
    expect(await problems("trigger")).toEqual([]);
  });
});

describe("of the provider it finds", () => {
  it("a key that it refuses", async () => {
    await services.provider.fail({ status: 401 });
    expect((await onlyProblem("provider.key")).mend).toMatch(/^Set OPENAI_API_KEY/);
  });

  it("a quota that is used up", async () => {
    await services.provider.fail({ status: 429, code: "insufficient_quota" });
    expect((await onlyProblem("provider.key")).mend).toMatch(/Billing/);
  });

  it("a model that it does not have, or whose vectors have another width", async () => {
    const { db } = services.database;
    await db.execute(sql`update embedding_models set name = 'text-embedding-9'`);
    const unknown = await onlyProblem("provider.model");
    await db.execute(sql`update embedding_models set name = 'hashing', dimensions = 512`);
    const wide = await onlyProblem("provider.dimensions");
    await db.execute(sql`update embedding_models set name = 'text-embedding-3-small', dimensions = 1536`);
    expect(unknown.seen).toContain("text-embedding-9");
    expect(wide.mend).toBe("npm run reembed -- --model hashing --dimensions 1536");
    expect(await problems("provider")).toEqual([]);
  });

  it("limits that are set above its tier", async () => {
    const vector = Buffer.from(new Float32Array(1_536).fill(0.1).buffer).toString("base64");
    const body = JSON.stringify({ data: [{ index: 0, embedding: vector }], usage: { prompt_tokens: 1 } });
    const headers = { ...json, "x-ratelimit-limit-tokens": "40000", "x-ratelimit-limit-requests": "3000" };
    const answer = answerWith(200, body, headers);
    const { mend } = await instead("OPENAI_BASE_URL", answer, () => onlyProblem("provider.budget"));
    expect(mend).toBe("Set EMBEDDING_TOKENS_PER_MINUTE=40000");
    vi.stubEnv("EMBEDDING_TOKENS_PER_MINUTE", "40000");
    expect(await instead("OPENAI_BASE_URL", answer, () => problems("provider"))).toEqual([]);
  });
});
