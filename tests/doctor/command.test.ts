import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allChecks } from "../../lib/doctor/checks.ts";
import { listOf } from "../../lib/doctor/report.ts";
import { startSmtp } from "../deletions/smtp.ts";
import { until } from "../until.ts";

let smtp: Awaited<ReturnType<typeof startSmtp>>;
beforeAll(async () => {
  smtp = await startSmtp();
});
afterAll(() => smtp.close());

/** The command as its script runs it, without anything of a local stack. */
function doctor(...args: string[]) {
  const child = spawn("node", ["scripts/run.mjs", "scripts/doctor.ts", ...args], {
    env: { PATH: process.env.PATH, SMTP_URL: smtp.url, MAIL_FROM: "hello@example.com" },
  });
  const said = { stderr: "" };
  child.stderr.on("data", (chunk) => {
    said.stderr += chunk;
  });
  const ended = Promise.all([text(child.stdout), once(child, "close")]).then(([stdout, [code]]) => ({
    code,
    stdout,
    stderr: said.stderr,
  }));
  return { said, ended, interrupt: () => child.kill("SIGINT") };
}

describe("npm run doctor", () => {
  it("ends with 2 and says why where it is asked for what is not there", async () => {
    const { code, stdout, stderr } = await doctor("--only", "mails").ended;
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^There is no category mails; there are environment, database/);
  });

  it("waits until what fails is mended, and ends with 0 and one document", async () => {
    smtp.behave({ replies: { AUTH: "535 no" } });
    const { said, ended } = doctor("--only=mail", "--wait", "--json");
    await until(() => said.stderr.includes("waiting for mail.login"), { what: "the first pass" });
    smtp.behave({});
    const { code, stdout } = await ended;
    expect(JSON.parse(stdout)).toMatchObject({ status: "ok", counts: { ok: 2 } });
    expect(code).toBe(0);
  });

  it("ends with 1 where something fails, also when Ctrl-C ends the wait, in plain text", async () => {
    smtp.behave({ replies: { AUTH: "535 no" } });
    const { said, ended, interrupt } = doctor("--only=mail", "--wait=600");
    await until(() => said.stderr.includes("waiting for"), { what: "the first pass" });
    interrupt();
    const { code, stdout } = await ended;
    expect(stdout).toContain("  × failed ");
    expect(stdout).not.toContain("\u001b");
    expect(code).toBe(1);
  });
});

it("has every check in docs/doctor.md, as --list says it", () => {
  const listed = allChecks().map(
    ({ id, description, warning }) => `| \`${id}\` | ${description} | ${warning ? "warning" : "failure"} |`,
  );
  const page = readFileSync("docs/doctor.md", "utf8");
  const rows = page.split("\n").filter((line) => /^\| `[a-z-]+\./.test(line));
  expect(rows).toEqual(listed);
  for (const { id } of allChecks()) expect(listOf(allChecks())).toMatch(new RegExp(`^${id}  `, "m"));
  for (const { hint } of allChecks()) expect(listOf(allChecks())).toContain(hint);
});
