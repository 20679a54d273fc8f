import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { until } from "../until.ts";
import { cloneProject } from "./clone.ts";
import { choosePorts, DevStack } from "./dev-stack.ts";

let folder: string;
let stack: DevStack;

beforeAll(async () => {
  folder = cloneProject();
  stack = new DevStack(folder, await choosePorts(), { LOCAL_EMBEDDING_MODEL: "hashing" });
  await stack.ready();
}, 180_000);

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const mailList = z.array(
  z.object({ id: z.string(), to: z.array(z.string()), messageId: z.string(), receivedAt: z.coerce.date() }),
);
const callList = z.array(z.object({ userId: z.string(), status: z.number(), webhookId: z.string() }));

async function get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}${path}`);
  return schema.parse(await response.json());
}

const mailsTo = async (email: string) =>
  (await get("/local/mail", mailList)).filter((mail) => mail.to.includes(email));
const callsFor = async (userId: string) =>
  (await get("/local/external-system/calls", callList)).filter((call) => call.userId === userId);

type Deletion = {
  email: string | null;
  email_hash: string | null;
  systems: Record<string, { done_at?: string }>;
  confirmation_sent_at: Date | null;
  completed_at: Date | null;
};

async function completed(userId: string, timeoutMs: number): Promise<Deletion> {
  return until(
    async () => {
      const rows = await stack
        .query<Deletion>("select * from user_deletions where user_id = $1 and completed_at is not null", [
          userId,
        ])
        .catch(() => []);
      return rows[0];
    },
    { timeoutMs, everyMs: 100, what: `the deletion of ${userId} to complete` },
  );
}

async function newUser(name: string): Promise<{ id: string; email: string }> {
  const email = `${name}@example.com`;
  const [row] = await stack.query<{ id: string }>(
    "insert into users (first_name, last_name, email) values ($1, 'Test', $2) returning id",
    [name, email],
  );
  return { id: row?.id ?? "", email };
}

describe('npm run sql -- "delete from users …"', () => {
  it("tells the external system, then john.doe@example.com by one e-mail, and keeps no address", async () => {
    const [john] = await stack.query<{ id: string }>("select id from users where first_name = 'John'");
    const id = john?.id ?? "";
    expect(await stack.sql("delete from users where first_name = 'John'")).toContain("DELETE 1");
    const deletion = await completed(id, 60_000);
    expect(Object.values(deletion.systems)).toEqual([{ done_at: expect.any(String) }]);
    expect(deletion.email).toBeNull();
    expect(deletion.email_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await callsFor(id)).toEqual([expect.objectContaining({ status: 204 })]);
    const mails = await mailsTo("john.doe@example.com");
    expect(mails).toHaveLength(1);
    const { text } = await get(`/local/mail/${mails[0]?.id}`, z.object({ text: z.string() }));
    expect(text).toContain("deleted");
  }, 90_000);
});

const VICTIMS = {
  cli: /trigger\.dev\/dist\/esm\/index\.js/,
  worker: /dev-run-worker/,
  stack: /local\/main\.ts/,
  next: /next-server|next\/dist\/bin\/next/,
};

type Victim = keyof typeof VICTIMS;

// Milliseconds from the commit to the kill: from before the delivery to after the e-mail.
const MOMENTS = [0, 30, 80, 150, 250, 400, 600, 900, 1_300, 2_000];
const EACH: Victim[] = ["cli", "worker", "stack", "next"];

// Every process at every moment takes minutes: KILL_MATRIX=full npm test -- tests/stack/deletions
const KILLS: [number, Victim][] =
  process.env.KILL_MATRIX === "full"
    ? MOMENTS.flatMap((moment) => EACH.map((victim): [number, Victim] => [moment, victim]))
    : MOMENTS.map((moment, index) => [moment, EACH[index % EACH.length] ?? "cli"]);

/** Deletes a user, kills a process so many milliseconds after the commit, and resolves when it runs again. */
async function deleteAndKill(moment: number, victim: Victim): Promise<{ id: string; email: string }> {
  const user = await newUser(`${victim}-${moment}`);
  const pattern = VICTIMS[victim];
  const { pid } = await stack.find(pattern);
  await stack.query("delete from users where id = $1", [user.id]);
  // Not a wait for something: the moment of the kill is what this test varies.
  await sleep(moment);
  process.kill(pid, "SIGKILL");
  await until(() => stack.processes().some((other) => other.pid !== pid && pattern.test(other.command)), {
    timeoutMs: 60_000,
    what: `${victim} to be running again`,
  });
  await until(() => fetch(`http://127.0.0.1:${stack.ports.http}/local/mail`).catch(() => undefined), {
    timeoutMs: 60_000,
    what: "the local stack to answer",
  });
  return user;
}

async function expectDeleted({ id, email }: { id: string; email: string }): Promise<void> {
  const { systems } = await completed(id, 180_000);
  const calls = await callsFor(id);
  expect(calls.map(({ status }) => status)).toContain(204);
  expect(new Set(calls.map(({ webhookId }) => webhookId)).size).toBe(1);
  const mails = await mailsTo(email);
  // A second copy is possible where the process died between the mail server's acceptance and the ledger's write.
  expect(mails.length).toBeGreaterThan(0);
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
  const cleanAt = Object.values(systems).map(({ done_at }) => new Date(done_at ?? Number.NaN).getTime());
  const mailedAt = mails.map(({ receivedAt }) => receivedAt.getTime());
  expect(Math.min(...mailedAt)).toBeGreaterThanOrEqual(Math.max(...cleanAt));
}

describe("kill -9 at ten moments of a deletion", () => {
  it("of the CLI, a worker, the local stack and Next.js in turn: each deletion completes without help", async () => {
    const users: { id: string; email: string }[] = [];
    for (const [moment, victim] of KILLS) users.push(await deleteAndKill(moment, victim));
    for (const user of users) await expectDeleted(user);
  }, 900_000);
});
