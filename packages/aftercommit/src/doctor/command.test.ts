import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { declarations } from "@/tests/helpers/doctor/diagnose.ts";
import { until } from "@/tests/helpers/until.ts";
import { CHECKS } from "./checks.ts";
import { doctor } from "./command.ts";

const BAD_LOGIN = { replies: { AUTH: "535 no" } };

let smtp: Awaited<ReturnType<typeof startSmtp>>;
beforeAll(async () => {
  smtp = await startSmtp();
});
beforeEach(() => {
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
});
afterEach(() => {
  smtp.behave({});
  vi.unstubAllEnvs();
});
afterAll(() => smtp.close());

/** Runs the command in this process. */
function run(...args: string[]) {
  const said = { out: "", err: "" };
  const say = (where: keyof typeof said) => (words: string) => {
    said[where] += words;
  };
  const stopped = new AbortController().signal;
  return {
    said,
    code: doctor(args, { declarations, out: say("out"), err: say("err"), stopped, color: false }),
  };
}

describe("npx aftercommit doctor", () => {
  it.each([
    [["--only", "mails"], /^There is no category mails; there are environment, database/],
    [["--wait=soon"], /^--wait takes seconds/],
    [["--jsn"], /--jsn/],
    [["now"], /now/],
  ])("ends with 2 and says why when it is called with %j", async (args, words) => {
    const { said, code } = run(...args);
    expect(await code).toBe(2);
    expect(said.out).toBe("");
    expect(said.err).toMatch(words);
  });

  it("waits until what fails is fixed, and ends with 0 and one document", async () => {
    smtp.behave(BAD_LOGIN);
    const { said, code } = run("--only=deletions", "--wait", "--json");
    await until(() => said.err.includes("waiting for deletions.mail"), { what: "the first pass" });
    smtp.behave({});
    expect(await code).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ status: "ok", counts: { ok: 2 } });
  });

  it("ends with 1 when the wait is over", async () => {
    smtp.behave(BAD_LOGIN);
    expect(await run("--only=deletions", "--wait=1").code).toBe(1);
  });

  it("prints the document that docs/doctor.md shows, and ends with 1", async () => {
    smtp.behave(BAD_LOGIN);
    const { said, code } = run("--only=deletions", "--json");
    expect(await code).toBe(1);
    const [, shown = ""] = /^```json\n([\s\S]*?)^```$/m.exec(readFileSync("docs/doctor.md", "utf8")) ?? [];
    expect(JSON.parse(said.out)).toEqual(JSON.parse(shown));
  });

  it("ends with 0 if it only warns", async () => {
    vi.stubEnv("APP_URL", "");
    const { said, code } = run("--only", "ingress");
    expect(await code).toBe(0);
    expect(said.out).toMatch(/1 checks: 1 warning$/m);
  });

  it("ends with 1 in plain text when Ctrl-C ends its wait", async () => {
    smtp.behave(BAD_LOGIN);
    const { PATH } = process.env;
    const env = { NODE_ENV: "test", PATH, SMTP_URL: smtp.url, USER_DELETION_WEBHOOK_URLS: "none" } as const;
    const args = ["scripts/run.mjs", "packages/aftercommit/cli/doctor.ts", "--only=deletions", "--wait"];
    const child = spawn(process.execPath, args, { env });
    let waiting = "";
    child.stderr.on("data", (chunk) => {
      waiting += chunk;
    });
    const stdout = text(child.stdout);
    const closed = once(child, "close");
    const isWaiting = () => waiting.includes("waiting for deletions.mail");
    await until(isWaiting, { what: "the first pass", progress: () => waiting });
    child.kill("SIGINT");
    expect((await closed)[0]).toBe(1);
    expect(await stdout).toContain("  × failed ");
    expect(await stdout).not.toContain("\u001b");
  });
});

describe("every check", () => {
  it("is in docs/doctor.md", () => {
    const page = readFileSync("docs/doctor.md", "utf8");
    const rows = Object.entries(CHECKS).map(([id, expected]) => `| \`${id}\` | ${expected} |`);
    expect(page.split("\n").filter((line) => /^\| `[a-z-]+\./.test(line))).toEqual(rows);
  });

  it("is in --list, and --only chooses", async () => {
    const { said, code } = run("--list", "--only=provider");
    expect(await code).toBe(0);
    expect(said.out).toBe(`provider.vectors\n  ${CHECKS["provider.vectors"]}\n`);
  });
});
