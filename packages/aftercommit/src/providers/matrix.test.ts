import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { embeddingForTests } from "@/tests/helpers/embedding.ts";
import { type Fault, startFormServer } from "@/tests/helpers/providers/form-server.ts";
import { FORMS } from "@/tests/helpers/providers/forms.ts";
import type { Provider } from "../declare/provider.ts";

const ROWS = 8;
const BAD = 5;
const isBad = (text: string) => text.includes("bad");
const refusal = (status: number): Fault => ({
  kind: "refuses",
  status,
  message: `The server's reason for ${status}`,
});

type Case = {
  name: string;
  bodyOf: (n: number) => string;
  rule: (texts: readonly string[], request: number) => Fault | undefined;
  failed: number[];
  /** The most requests: for one text at fault, two per halving, and those that confirm it. */
  calls: number;
  reason?: RegExp;
  /** The only forms for which this is tested. */
  forms?: readonly string[];
};

const all = Array.from({ length: ROWS }, (_, n) => n);
const oneBad = (n: number) => (n === BAD ? "bad" : `Body ${n}`);
const where = (fault: Fault) => (texts: readonly string[]) => (texts.some(isBad) ? fault : undefined);
const SEARCH = 2 * Math.log2(ROWS) + 2;

const CASES: Case[] = [
  { name: "a good answer", bodyOf: (n) => `Body ${n}`, rule: () => undefined, failed: [], calls: 1 },
  {
    name: "one bad text",
    bodyOf: oneBad,
    rule: where(refusal(400)),
    failed: [BAD],
    calls: SEARCH,
    reason: /The server's reason for 400/,
  },
  {
    name: "all texts bad",
    bodyOf: (n) => `bad ${n}`,
    rule: where(refusal(422)),
    failed: all,
    calls: 2 * ROWS,
    reason: /The server's reason for 422/,
  },
  {
    name: "429, and then a good answer",
    bodyOf: (n) => `Body ${n}`,
    rule: (_, request) =>
      request === 1 ? { ...refusal(429), headers: { "retry-after": "0.2" } } : undefined,
    failed: [],
    calls: 2,
  },
  {
    name: "500 for one text",
    bodyOf: oneBad,
    rule: where(refusal(500)),
    failed: [BAD],
    calls: SEARCH + 2,
    reason: /The server's reason for 500/,
  },
  {
    name: "silence for one text",
    bodyOf: oneBad,
    rule: where({ kind: "hangs" }),
    failed: [BAD],
    calls: SEARCH + 2,
    reason: /timed out/,
    // It waits for each timeout. All forms have one of these two clients.
    forms: ["openai", "aiSdk"],
  },
  {
    name: "a connection that drops for one text",
    bodyOf: oneBad,
    rule: where({ kind: "drops" }),
    failed: [BAD],
    // After each of them, it checks whether the server is still there.
    calls: SEARCH + 2 + Math.log2(ROWS),
    reason: /./,
  },
  {
    name: "a vector too few for one text",
    bodyOf: oneBad,
    rule: where({ kind: "leaves one out" }),
    failed: [BAD],
    calls: SEARCH + 2,
    reason: /0 vectors for 1 texts/,
  },
];

const table: string[] = [];
afterAll(() => console.log(table.join("\n")));

describe.each(Object.entries(FORMS))("a provider of the form of %s", (formName, form) => {
  let server: Awaited<ReturnType<typeof startFormServer>>;
  let declaration = posts;
  let provider: Provider;
  const tests = embeddingForTests(() => declaration);
  const { database, insertPosts, work, pending } = tests;

  beforeAll(async () => {
    server = await startFormServer(form);
    vi.stubEnv("OPENAI_BASE_URL", `${server.url}/v1`);
    vi.stubEnv("AZURE_OPENAI_ENDPOINT", server.url);
    for (const name of ["AZURE_OPENAI", "VOYAGE", "COHERE", "GEMINI"]) vi.stubEnv(`${name}_API_KEY`, "key");
    provider = form.provider(server.url, { timeoutMs: 3_000 });
    declaration = { ...posts, providers: [provider] };
  });
  afterAll(async () => {
    await server.close();
    vi.unstubAllEnvs();
  });
  beforeEach(async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    await database.db.execute(sql`update aftercommit.models set provider = ${provider.name}`);
    Object.assign(server.state, { requests: [], bodies: [], rule: () => undefined });
  });
  afterEach(() => void vi.restoreAllMocks());

  it.each(CASES.filter(({ forms = [formName] }) => forms.includes(formName)))(
    "that answers $name: healthy texts are embedded, bad ones are named",
    async (one) => {
      const { name, bodyOf, rule, failed, calls, reason = /^$/ } = one;
      const ids = await insertPosts(ROWS, bodyOf);
      server.state.rule = (texts) => rule(texts, server.state.requests.length);
      await work(ids);
      const made = server.state.requests.length;
      table.push(`${formName}, ${name}: ${made} calls of at most ${calls}`);
      const left = await pending();
      expect(left.map(({ id, attempts }) => [id, attempts])).toEqual(failed.map((n) => [ids[n], 1]));
      for (const { error } of left) expect(error).toMatch(reason);
      for (const n of all.filter((row) => !failed.includes(row)))
        await tests.expectEmbedded(BigInt(ids[n] ?? ""), { title: "Post", body: bodyOf(n) });
      expect(made).toBeLessThanOrEqual(calls);
    },
  );

  it.each([
    ["answers 500 to everything", () => refusal(500), 2],
    ["is told to wait by 503", () => ({ ...refusal(503), headers: { "retry-after": "40" } }), 1],
    ["drops every connection", (): Fault => ({ kind: "drops" }), 2],
    ["refuses the key", () => refusal(401), 1],
  ])("that %s costs no row an attempt, and pauses the model", async (_, rule, calls) => {
    const ids = await insertPosts(ROWS);
    server.state.rule = rule;
    await expect(work(ids)).rejects.toThrow();
    expect(server.state.requests).toHaveLength(calls);
    expect((await pending()).map(({ attempts, error }) => [attempts, error])).toEqual(
      ids.map(() => [0, null]),
    );
    const { rows } = await database.db.execute(
      sql`select from aftercommit.models where paused_until > clock_timestamp()`,
    );
    expect(rows).toHaveLength(1);
  });
});
