import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { allChecks } from "../../lib/doctor/checks.ts";
import { doctor } from "../../lib/doctor/command.ts";
import { startSmtp } from "../deletions/smtp.ts";
import { until } from "../until.ts";

let smtp: Awaited<ReturnType<typeof startSmtp>>;
beforeAll(async () => {
  smtp = await startSmtp();
});
afterEach(() => {
  smtp.behave({});
  vi.unstubAllEnvs();
});
afterAll(() => smtp.close());

/** The command in this process. */
function run(...args: string[]) {
  vi.stubEnv("SMTP_URL", smtp.url);
  vi.stubEnv("MAIL_FROM", "hello@example.com");
  const said = { out: "", err: "" };
  const say = (where: keyof typeof said) => (words: string) => {
    said[where] += words;
  };
  const stopped = new AbortController().signal;
  return { said, code: doctor(args, { out: say("out"), err: say("err"), stopped, color: false }) };
}

describe("npm run doctor", () => {
  it.each([
    [["--only", "mails"], /^There is no category mails; there are environment, database/],
    [["--wait=soon"], /^--wait takes whole seconds/],
    [["--jsn"], /--jsn/],
    [["now"], /now/],
  ])("ends with 2 and says why where it is called with %j", async (args, words) => {
    const { said, code } = run(...args);
    expect(await code).toBe(2);
    expect(said.out).toBe("");
    expect(said.err).toMatch(words);
  });

  it("waits until what fails is mended, and ends with 0 and one document", async () => {
    smtp.behave({ replies: { AUTH: "535 no" } });
    const { said, code } = run("--only=mail", "--wait", "--json");
    await until(() => said.err.includes("waiting for mail.login"), { what: "the first pass" });
    smtp.behave({});
    expect(await code).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ status: "ok", counts: { ok: 2 } });
  });

  it("ends with 1 when the time to wait is over", async () => {
    smtp.behave({ replies: { AUTH: "535 no" } });
    expect(await run("--only=mail", "--wait=1").code).toBe(1);
  });

  it("ends with 0 where it only warns", async () => {
    vi.stubEnv("APP_URL", "");
    const { said, code } = run("--only", "ingress");
    expect(await code).toBe(0);
    expect(said.out).toMatch(/5 skipped$/m);
  });

  it("ends with 1 in plain text when Ctrl-C ends its wait", async () => {
    smtp.behave({ replies: { AUTH: "535 no" } });
    const env = {
      NODE_ENV: "test",
      PATH: process.env.PATH,
      SMTP_URL: smtp.url,
      MAIL_FROM: "a@example.com",
    } as const;
    const args = ["scripts/run.mjs", "scripts/doctor.ts", "--only=mail", "--wait"];
    const child = spawn(process.execPath, args, { env });
    let waiting = "";
    child.stderr.on("data", (chunk) => {
      waiting += chunk;
    });
    const stdout = text(child.stdout);
    const closed = once(child, "close");
    await until(() => waiting.includes("waiting for mail.login"), {
      what: "the first pass",
      progress: () => waiting,
    });
    child.kill("SIGINT");
    expect((await closed)[0]).toBe(1);
    expect(await stdout).toContain("  × failed ");
    expect(await stdout).not.toContain("\u001b");
  });
});

describe("every check", () => {
  it("is in docs/doctor.md", () => {
    const listed = allChecks().map(
      ({ id, description, warning }) => `| \`${id}\` | ${description} | ${warning ? "warning" : "failure"} |`,
    );
    const page = readFileSync("docs/doctor.md", "utf8");
    expect(page.split("\n").filter((line) => /^\| `[a-z-]+\./.test(line))).toEqual(listed);
  });

  it("is in --list with how it is mended, and --only chooses", async () => {
    const { said, code } = run("--list", "--only=provider");
    expect(await code).toBe(0);
    for (const { id, description, hint } of allChecks()) {
      const isListed = said.out.includes(`${id}  (`);
      expect(isListed).toBe(id.startsWith("provider."));
      if (isListed) expect(said.out).toContain(`${description}\n  ${hint}\n`);
    }
  });
});
