import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startDatabase } from "../helpers/deletions/deletions-database.ts";
import { outcomeWorld } from "../helpers/deletions/outcome-world.ts";
import { newReceiptKey } from "../helpers/deletions/run-deletions.ts";
import { startSmtp } from "../helpers/deletions/smtp.ts";
import { startSystem } from "../helpers/deletions/system-server.ts";
import { until } from "../helpers/until.ts";

let database: Awaited<ReturnType<typeof startDatabase>>;
let smtp: Awaited<ReturnType<typeof startSmtp>>;
let system: Awaited<ReturnType<typeof startSystem>>;
beforeAll(async () => {
  [database, smtp, system] = await Promise.all([startDatabase(), startSmtp(), startSystem()]);
});
afterAll(() => Promise.all([database.close(), smtp.close(), system.close()]));

const variables = () => ({
  DATABASE_URL: database.url,
  USER_DELETION_WEBHOOK_URLS: "none",
  USER_DELETION_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 5).toString("base64")}`,
  DELETION_RECEIPT_KEY: newReceiptKey(),
  MAIL_FROM: "no-reply@example.com",
  SMTP_URL: smtp.url,
  SYSTEM_URL: system.url,
});
beforeEach(() => {
  for (const [name, value] of Object.entries(variables())) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  smtp.behave({});
});

/** Has a process work on a deletion, and kills it with -9 as soon as `moment` is true. */
async function killAt(deletionId: string, moment: () => boolean): Promise<void> {
  const worker = spawn(
    process.execPath,
    ["--import", "tsx", "tests/helpers/deletions/killed-worker.ts", deletionId, "run_killed"],
    {
      env: { ...variables(), NODE_ENV: "test", PATH: process.env.PATH },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const exited = once(worker, "exit");
  await until(moment, { everyMs: 5, what: "moment to kill", progress: () => system.requests.length });
  worker.kill("SIGKILL");
  expect(await exited).toEqual([null, "SIGKILL"]);
}

describe("a deletion whose process is killed", () => {
  const asked = (type: string, world: { userId: string }) => () =>
    system.requests.some(({ body }) => body.includes(world.userId) && body.includes(type));

  async function begin() {
    const world = outcomeWorld({ db: database.db, system });
    await world.insertUser();
    await world.deleteUser();
    return { world, id: await world.record() };
  }

  it.each(["user.deleted", "user.deletion_verify"])(
    "while a system has %s and has not answered is finished by the next run, with one mail",
    async (type) => {
      const { world, id } = await begin();
      const release = system.holdAnswersTo(type);
      await killAt(id, asked(type, world));
      release();
      expect(smtp.messagesTo(world.email)).toEqual([]);
      expect((await database.deletion(id)).systems).toEqual({});
      expect(await world.run(id)).toBe("complete");
      expect(smtp.messagesTo(world.email)).toHaveLength(1);
      expect([world.state.known, world.violations]).toEqual([false, []]);
    },
  );

  it("while the mail server has the message and has not answered sends at most a second copy with the same Message-ID", async () => {
    const { world, id } = await begin();
    smtp.behave({ atEnd: "hang" });
    await killAt(id, () => smtp.messagesTo(world.email).length > 0);
    smtp.behave({});
    expect(await database.deletion(id)).toMatchObject({ email: world.email, completed_at: null });
    expect(await world.receiptState(id)).toBe("open");
    expect(await world.run(id)).toBe("complete");
    const ids = smtp.messagesTo(world.email).map((message) => /^Message-ID: (.*)$/im.exec(message)?.[1]);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });
});
