import { describe, expect, it, vi } from "vitest";
import { type Check, good, notNeeded, problem, type Verdict } from "../../lib/doctor/check.ts";
import { allChecks } from "../../lib/doctor/checks.ts";
import { jsonOf, textOf } from "../../lib/doctor/report.ts";
import { checksOf, runChecks } from "../../lib/doctor/run-checks.ts";
import { required } from "../../lib/env.ts";

const check = (id: string, run: () => Promise<Verdict>, extra: Partial<Check> = {}): Check => ({
  ...{ id, description: `${id} is well`, hint: `mend ${id}`, run },
  ...extra,
});
const well = async () => good("well");
const ill = async () => problem("ill", "mend it");

describe("the checks", () => {
  it("need only fatal checks that are there, and have an id each", () => {
    const checks = allChecks();
    const fatal = checks.flatMap(({ id, fatal }) => (fatal ? [id] : []));
    for (const { needs = [] } of checks) for (const id of needs) expect(fatal).toContain(id);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id } of checks) expect(id).toMatch(/^[a-z-]+\.[a-z-]+$/);
  });

  it("of one category are run with those of others that they need", () => {
    const ids = checksOf(allChecks(), ["capture"]).map(({ id }) => id);
    expect(ids).toContain("database.reachable");
    expect(ids).toContain("capture.slot");
    expect(ids).not.toContain("database.pgvector");
    expect(ids.some((id) => id.startsWith("mail."))).toBe(false);
  });
});

describe("a run of checks", () => {
  it("stops what depends on a failed one, and nothing else", async () => {
    const later = vi.fn(well);
    const results = await runChecks([
      check("a.first", ill, { fatal: true }),
      check("a.second", later, { fatal: true, needs: ["a.first"] }),
      check("a.third", later, { needs: ["a.second"] }),
      check("b.other", well),
    ]);
    expect(results.map(({ state }) => state)).toEqual(["failed", "skipped", "skipped", "ok"]);
    expect(results[2]?.seen).toBe("needs a.second");
    expect(later).not.toHaveBeenCalled();
  });

  it("has nothing to say of what depends on what is not needed", async () => {
    const results = await runChecks([
      check("a.first", async () => notNeeded("not here"), { fatal: true }),
      check("a.second", ill, { needs: ["a.first"] }),
    ]);
    expect(results.map(({ state, seen }) => [state, seen])).toEqual([
      ["not needed", "not here"],
      ["not needed", "not here"],
    ]);
  });

  it("tells a warning from a failure, and gives the hint where a check knows no better remedy", async () => {
    const results = await runChecks([
      check("a.first", ill, { warning: true }),
      check("a.second", async () => problem("ill")),
    ]);
    expect(results).toMatchObject([
      { state: "warning", mend: "mend it" },
      { state: "failed", mend: "mend a.second" },
    ]);
  });

  it("ends although a check does not, and says so", async () => {
    const [result] = await runChecks([check("a.first", () => new Promise(() => {}))], { limitMs: 20 });
    expect(result).toMatchObject({ state: "failed", seen: "no answer within 0.02 s" });
  });

  it("names a variable that a check misses, and where to get it", async () => {
    vi.stubEnv("MAIL_FROM", "");
    const [result] = await runChecks([check("a.first", async () => good(required("MAIL_FROM")))]);
    vi.unstubAllEnvs();
    expect(result?.seen).toMatch(/^MAIL_FROM is not set \(/);
    expect(result?.mend).toMatch(/^Set MAIL_FROM/);
  });

  it("shows no secret, whoever repeats it", async () => {
    vi.stubEnv("DATABASE_URL", "postgres://app:p%40ssword-of-it@db.example.com:5432/app");
    vi.stubEnv("OPENAI_API_KEY", "sk-a-secret-key");
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example.com/token");
    const words = "sk-a-secret-key p%40ssword-of-it p@ssword-of-it https://crm.example.com/token";
    const results = await runChecks([
      check("a.first", async () => problem(words, words)),
      check("a.second", async () => {
        throw new Error(words);
      }),
    ]);
    vi.unstubAllEnvs();
    for (const secret of words.split(" ")) expect(jsonOf(results)).not.toContain(secret);
  });
});

describe("the report", () => {
  const results = () =>
    runChecks([
      check("a.good", well),
      check("a.warned", ill, { warning: true }),
      check("b.bad", ill, { fatal: true }),
      check("b.later", well, { needs: ["b.bad"] }),
    ]);

  it("has signs and words, evidence and remedies, and a summary", async () => {
    expect(textOf(await results())).toBe(`a
  √ ok          a.good is well: well
  ‼ warning     a.warned is well (a.warned)
                seen: ill
                mend: mend it

b
  × failed      b.bad is well (b.bad)
                seen: ill
                mend: mend it
  - skipped     b.later is well: needs b.bad

4 checks: 1 ok, 1 warning, 1 failed, 1 skipped
`);
  });

  it("says the same in color", async () => {
    const colored = textOf(await results(), { color: true });
    expect(colored).toContain("\u001b[31m× failed");
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, "g");
    expect(colored.replaceAll(escapes, "")).toBe(textOf(await results()));
  });

  it("is one document for programs", async () => {
    expect(JSON.parse(jsonOf(await results()))).toMatchObject({
      format: 1,
      status: "failed",
      counts: { ok: 1, warning: 1, failed: 1, skipped: 1 },
      checks: [{ id: "a.good", category: "a", state: "ok" }, { mend: "mend it" }, {}, {}],
    });
  });
});
