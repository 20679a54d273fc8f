import { afterEach, describe, expect, it, vi } from "vitest";
import { required } from "../env/env.ts";
import { checkWithin, type Finding, failed, ok, warning } from "./finding.ts";
import { jsonOf, textOf } from "./report.ts";

const check = checkWithin(1_000);
afterEach(() => vi.unstubAllEnvs());

describe("a check", () => {
  it("has the fix that it names, and otherwise the usual one", async () => {
    const findings = await Promise.all([
      check("database.model", "usual", async () => failed("bad", "special")),
      check("database.model", "usual", async () => warning("bad")),
      check("database.model", "usual", async () => ok("good")),
    ]);
    expect(findings.map(({ state, fix }) => [state, fix])).toEqual([
      ["failed", "special"],
      ["warning", "usual"],
      ["ok", undefined],
    ]);
  });

  it("ends although its work does not, fails, and ends its category", async () => {
    const found = await checkWithin(20)("database.model", "wait", () => new Promise(() => {}));
    const actual = expect.stringMatching(/^no answer in \d+ ms$/);
    expect(found).toMatchObject({ state: "failed", actual, fix: "wait", ends: true });
  });

  it("names a variable that it misses, and where to get it", async () => {
    vi.stubEnv("MAIL_FROM", "");
    const found = await check("deletions.mail", "usual", async () => ok(required("MAIL_FROM")));
    expect(found.actual).toMatch(/^MAIL_FROM is not set \(/);
    expect(found.fix).toMatch(/^Set MAIL_FROM in/);
  });

  it("shows no secret, whoever repeats it", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://app:p%40ssword-of-it@db.example.com:5432/app");
    vi.stubEnv("OPENAI_API_KEY", "sk-a-secret-key");
    vi.stubEnv("SEQUIN_WEBHOOK_SECRET_PREVIOUS", "the one before");
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example.com/token");
    const words =
      "sk-a-secret-key p%40ssword-of-it p@ssword-of-it https://crm.example.com/token the one before";
    const findings = await Promise.all([
      check("database.model", "usual", async () => failed(words, words)),
      check("database.model", words, () => Promise.reject(new Error(words))),
    ]);
    for (const finding of findings) expect(JSON.stringify(finding)).not.toMatch(/sk-|ssword|crm|before/);
  });

  it("takes a % in a password for itself where it begins no encoding", async () => {
    vi.stubEnv("SMTP_URL", "smtp://user:100%secret@mail.example.com:587");
    const found = await check("deletions.mail", "usual", async () => failed("refused: 100%secret"));
    expect(found.actual).toBe("refused: …");
  });
});

describe("the report", () => {
  const findings: Finding[] = [
    { id: "database.connection", state: "ok", actual: "PostgreSQL" },
    { id: "database.pgvector", state: "warning", actual: "0.8.1", fix: "update it" },
    { id: "trigger.key", state: "failed", actual: "answers 401", fix: "set it" },
    { id: "trigger.variables", state: "skipped", actual: "not shown" },
  ];

  it("has signs and words, evidence and fixes, and a summary", () => {
    expect(textOf(findings)).toBe(`database
  √ ok       the database of DATABASE_URL answers; if that is a connection pooler, so does DIRECT_DATABASE_URL: PostgreSQL
  ‼ warning  pgvector is 0.8.4 or newer (database.pgvector)
             actual: 0.8.1
             fix: update it

trigger
  × failed   Trigger.dev answers, accepts TRIGGER_SECRET_KEY, and is 4.7 or newer (trigger.key)
             actual: answers 401
             fix: set it
  - skipped  the tasks have every variable that they need, and the app's external systems: not shown

4 checks: 1 ok, 1 warning, 1 failed, 1 skipped
`);
  });

  it("says the same in color", () => {
    const colored = textOf(findings, { color: true });
    expect(colored).toContain("\u001b[31m× failed");
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");
    expect(colored.replaceAll(escapes, "")).toBe(textOf(findings));
  });

  it("is one document for programs", () => {
    expect(JSON.parse(jsonOf(findings))).toMatchObject({
      status: "failed",
      counts: { ok: 1, warning: 1, failed: 1, skipped: 1 },
      checks: [{ id: "database.connection", state: "ok" }, { fix: "update it" }, {}, {}],
    });
  });
});
