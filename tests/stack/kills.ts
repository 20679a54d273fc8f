import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { until } from "../until.ts";
import { commitChanges } from "./changes.ts";
import { expectDeleted, insertUser, type User } from "./deletions.ts";
import type { DevStack } from "./dev-stack.ts";
import { everyPostEmbedded, wrongEmbeddings } from "./embeddings.ts";

const VICTIMS = {
  "trigger.dev dev": /trigger\.dev\/dist\/esm\/index\.js/,
  "a worker": /dev-run-worker/,
  "the local stack": /local\/main\.ts/,
  "Next.js": /next\/dist\/bin\/next|next-server/,
};

type Victim = keyof typeof VICTIMS;

const EACH: Victim[] = ["trigger.dev dev", "a worker", "the local stack", "Next.js"];

async function runsAgain(stack: DevStack, victim: Victim, killed: number): Promise<void> {
  await until(
    () => stack.processes().some(({ command, pid }) => pid !== killed && VICTIMS[victim].test(command)),
    { timeoutMs: 60_000, everyMs: 200, what: `${victim} to have been started again` },
  );
}

const CHANGES = 200;

// Milliseconds from a deletion's commit to the kill: from before its delivery to after its e-mail, the oldest first.
const AGES = [2_000, 1_300, 900, 600, 400, 250, 150, 80, 30, 0];

/** Commits a deletion of each age and then kills the process; answers with the users. */
async function deleteAndKill(stack: DevStack, victim: Victim): Promise<User[]> {
  const name = victim.replaceAll(/[^a-z]/gi, "-");
  const users: User[] = [];
  for (const age of AGES) users.push(await insertUser(stack, `${name}-${age}`));
  const { pid } = await stack.find(VICTIMS[victim]);
  for (const [index, { id }] of users.entries()) {
    await stack.query("delete from users where id = $1", [id]);
    // Not a wait for something: the age of each deletion is what this test varies.
    await sleep((AGES[index] ?? 0) - (AGES[index + 1] ?? 0));
  }
  process.kill(pid, "SIGKILL");
  await runsAgain(stack, victim, pid);
  return users;
}

/** The tests that kill the processes of a stack with -9 and expect that nothing is lost. */
export function describeKills(running: () => DevStack): void {
  describe(`kill -9 in the middle of ${CHANGES} changes loses nothing`, () => {
    it.each(EACH)(
      "of %s",
      async (victim) => {
        const stack = running();
        const { pid } = await stack.find(VICTIMS[victim]);
        await commitChanges(stack.databaseUrl, CHANGES, (n) => {
          if (n === CHANGES / 2) process.kill(pid, "SIGKILL");
        });
        await runsAgain(stack, victim, pid);
        await everyPostEmbedded(stack, 120_000);
        await until(async () => (await wrongEmbeddings(stack)).length === 0, {
          timeoutMs: 60_000,
          everyMs: 500,
          what: "every embedding to be that of its post's present text",
        });
        const orphans = await stack.query(
          "select post_id from post_embeddings e where not exists (select from posts where id = e.post_id)",
        );
        expect(orphans).toEqual([]);
      },
      300_000,
    );
  });

  describe(`kill -9 in the middle of deletions of ${AGES.length} ages`, () => {
    it.each(EACH)(
      "of %s: every deletion completes without help",
      async (victim) => {
        const stack = running();
        const users = await deleteAndKill(stack, victim);
        await until(() => fetch(`http://127.0.0.1:${stack.ports.http}/local/mail`).catch(() => undefined), {
          timeoutMs: 60_000,
          everyMs: 200,
          what: "the local stack to answer",
        });
        for (const user of users) await expectDeleted(stack, user);
      },
      300_000,
    );
  });
}
