import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

const complete = {
  DATABASE_URL: "postgres://app@db.example.com:5432/app",
  SEQUIN_WEBHOOK_SECRET: "correct horse battery staple",
  TRIGGER_SECRET_KEY: "tr_dev_key",
  USER_DELETION_WEBHOOK_URLS: "https://crm.example.com/user-deleted",
};

/** What Next.js does when a server starts. */
function start(env: Record<string, string>) {
  const script = 'void import("./instrumentation.ts").then(({ register }) => register())';
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "--eval", script], {
    env: { PATH: process.env.PATH, NODE_ENV: "test", NEXT_RUNTIME: "nodejs", ...env },
    encoding: "utf8",
  });
  return { status, stderr };
}

it("the app starts although a variable of the tasks is malformed, and logs its name", () => {
  const { status, stderr } = start({ ...complete, MAIL_FROM: "nobody", SMTP_URL: "hunter2" });
  expect(status).toBe(0);
  const problems = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(problems.map(({ event, problem }) => [event, problem.split(" ")[0]])).toEqual([
    ["environment.malformed", "SMTP_URL"],
    ["environment.malformed", "MAIL_FROM"],
  ]);
  expect(stderr).not.toContain("hunter2");
});

it("the app does not start when a variable that it uses itself is malformed, and names each of them", () => {
  const names = ["DATABASE_POOL_SIZE", "PGSSLMODE", "TRIGGER_API_URL", "OPENAI_BASE_URL"];
  const { status, stderr } = start({
    ...complete,
    ...Object.fromEntries(names.map((name) => [name, "nonsense"])),
  });
  expect(status).toBe(1);
  expect(stderr).toContain("Aftercommit cannot start: ");
  for (const name of names) expect(stderr).toContain(`${name} must`);
});

it("the app does not start when the CA of its database cannot be read, and names the file", () => {
  const { status, stderr } = start({
    ...complete,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: "/nowhere/ca.crt",
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/Aftercommit cannot start: .*sslrootcert.*\/nowhere\/ca\.crt/);
});
