import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import { chanceOf, seed } from "../seed.ts";
import { until } from "../until.ts";
import { commitChanges } from "./changes.ts";
import { expectDeleted, insertUser, type User } from "./deletions.ts";
import type { DevStack } from "./dev-stack.ts";
import { everyPostEmbedded, noOrphans, WORKER_DEAD_MS, wrongEmbeddings } from "./embeddings.ts";

/** The processes of `npm run dev` that do the work, by their command lines. */
export const VICTIMS = {
  "trigger.dev dev": /trigger\.dev\/dist\/esm\/index\.js/,
  "a worker": /dev-run-worker/,
  "the local stack": /emulators\/stack\/main\.ts/,
  "Next.js": /next\/dist\/bin\/next|next-server/,
};

export type Victim = keyof typeof VICTIMS;

export const EACH: Victim[] = ["trigger.dev dev", "a worker", "the local stack", "Next.js"];

/**
 * Kills the process that was found, or its successor: on a slow machine, an idle worker may have ended in the meantime.
 */
async function kill(stack: DevStack, victim: Victim, found: number): Promise<number> {
  for (let pid = found; ; pid = (await stack.find(VICTIMS[victim])).pid) {
    try {
      process.kill(pid, "SIGKILL");
      return pid;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

async function runsAgain(stack: DevStack, victim: Victim, killed: number): Promise<void> {
  await until(
    () => stack.processes().some(({ command, pid }) => pid !== killed && VICTIMS[victim].test(command)),
    { everyMs: 200, what: `new process of ${victim}`, progress: () => stack.progress() },
  );
}

/** Resolves when the database, which may just have been killed with the local stack, answers. */
async function databaseAnswers(stack: DevStack): Promise<void> {
  await until(() => stack.query("select 1").catch(() => undefined), {
    everyMs: 200,
    what: "answer of the database",
    progress: () => stack.progress(),
  });
}

const CHANGES = 200;

// Milliseconds from a deletion's commit to the kill: from before its delivery to after its e-mail, oldest first.
const AGES = [2_000, 1_300, 900, 600, 400, 250, 150, 80, 30, 0] as const;

/** Commits a deletion of each age and then kills the process. Returns the users. */
async function deleteAndKill(stack: DevStack, victim: Victim): Promise<User[]> {
  const name = victim.replaceAll(/[^a-z]/gi, "-");
  const users: User[] = [];
  for (const age of AGES) users.push(await insertUser(stack, `${name}-${age}`));
  const { pid } = await stack.find(VICTIMS[victim]);
  for (const [index, { id }] of users.entries()) {
    await stack.query("delete from users where id = $1", [id]);
    // Not a wait: the age of each deletion is what this test varies.
    await sleep((AGES[index] ?? 0) - (AGES[index + 1] ?? 0));
  }
  await runsAgain(stack, victim, await kill(stack, victim, pid));
  return users;
}

async function expectEveryEmbedding(stack: DevStack): Promise<void> {
  await everyPostEmbedded(stack);
  await until(async () => (await wrongEmbeddings(stack)).length === 0, {
    everyMs: 500,
    what: "right embedding of every post",
    progress: () => stack.output,
    stuckMs: WORKER_DEAD_MS,
  });
  await noOrphans(stack);
}

async function expectEveryDeletion(stack: DevStack, users: readonly User[]): Promise<void> {
  await until(() => fetch(`http://127.0.0.1:${stack.ports.http}/local/mail`).catch(() => undefined), {
    everyMs: 200,
    what: "answer of the local stack",
    progress: () => stack.progress(),
  });
  for (const user of users) await expectDeleted(stack, user);
}

const CHANGES_EACH = 25;

/** One kill per process, one after another. The seed decides their order, when, and how old a deletion is then. */
export function describeOneKillEach(running: () => DevStack): void {
  it(`kill -9 of each process once among changes and deletions loses nothing (SEED=${seed})`, async () => {
    const stack = running();
    const chance = chanceOf(seed);
    const one = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(chance() * of.length)] ?? of[0];
    const order = EACH.map((victim) => ({ victim, at: chance() })).toSorted((a, b) => a.at - b.at);
    const users: User[] = [];
    for (const { victim } of order) {
      const [moment, age] = [1 + Math.floor(chance() * CHANGES_EACH), one(AGES)];
      console.log(`SEED=${seed}: kill -9 of ${victim} after ${moment} changes, ${age} ms after a deletion`);
      const user = await insertUser(stack, `${victim.replaceAll(/[^a-z]/gi, "-")}-once`);
      let { pid } = await stack.find(VICTIMS[victim]);
      await commitChanges(stack.databaseUrl, CHANGES_EACH, async (n) => {
        if (n !== moment) return;
        await stack.query("delete from users where id = $1", [user.id]);
        // Not a wait: the age of the deletion is what differs.
        await sleep(age);
        pid = await kill(stack, victim, pid);
      });
      users.push(user);
      await runsAgain(stack, victim, pid);
      await databaseAnswers(stack);
    }
    await expectEveryEmbedding(stack);
    await expectEveryDeletion(stack, users);
  });
}

/** The whole matrix: each process during changes, and during deletions of each age. */
export function describeKills(running: () => DevStack): void {
  describe(`kill -9 in the middle of ${CHANGES} changes loses nothing`, () => {
    it.each(EACH)("of %s", async (victim) => {
      const stack = running();
      let { pid } = await stack.find(VICTIMS[victim]);
      await commitChanges(stack.databaseUrl, CHANGES, async (n) => {
        if (n === CHANGES / 2) pid = await kill(stack, victim, pid);
      });
      await runsAgain(stack, victim, pid);
      await expectEveryEmbedding(stack);
    });
  });

  describe(`kill -9 in the middle of deletions of ${AGES.length} ages`, () => {
    it.each(EACH)("of %s: every deletion completes without help", async (victim) => {
      const stack = running();
      await expectEveryDeletion(stack, await deleteAndKill(stack, victim));
    });
  });

  it("a CLI that finds no Trigger.dev when it registers its worker is started again", async () => {
    const stack = running();
    const from = stack.output.length;
    const said = (pattern: RegExp) => pattern.test(stack.output.slice(from));
    const { pid } = await stack.find(VICTIMS["trigger.dev dev"]);
    process.kill(pid, "SIGKILL");
    await until(() => said(/Building local worker/), {
      what: "its building",
      progress: () => stack.progress(),
    });
    await until(
      async () => {
        const { pid: local } = await stack.find(VICTIMS["the local stack"]);
        await kill(stack, "the local stack", local);
        return said(/Build failed/);
      },
      { everyMs: 200, what: "its giving up", progress: () => stack.progress() },
    );
    await commitChanges(stack.databaseUrl, 1, async () => {});
    await expectEveryEmbedding(stack);
  });
}
