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
    { timeoutMs: 60_000, what: `${victim} to have been started again` },
  );
}

const CHANGES = 200;

// Milliseconds from the commit to the kill: from before the delivery to after the e-mail.
const MOMENTS = [0, 30, 80, 150, 250, 400, 600, 900, 1_300, 2_000];

// Every process at every moment takes minutes: KILL_MATRIX=full npm test -- tests/stack
const KILLS: [number, Victim][] =
  process.env.KILL_MATRIX === "full"
    ? MOMENTS.flatMap((moment) => EACH.map((victim): [number, Victim] => [moment, victim]))
    : MOMENTS.map((moment, index) => [moment, EACH[index % EACH.length] ?? "a worker"]);

async function deleteAndKill(stack: DevStack, moment: number, victim: Victim): Promise<User> {
  const user = await insertUser(stack, `${victim.replaceAll(/[^a-z]/gi, "-")}-${moment}`);
  const { pid } = await stack.find(VICTIMS[victim]);
  await stack.query("delete from users where id = $1", [user.id]);
  // Not a wait for something: the moment of the kill is what this test varies.
  await sleep(moment);
  process.kill(pid, "SIGKILL");
  await runsAgain(stack, victim, pid);
  await until(() => fetch(`http://127.0.0.1:${stack.ports.http}/local/mail`).catch(() => undefined), {
    timeoutMs: 60_000,
    what: "the local stack to answer",
  });
  return user;
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

  describe("kill -9 at ten moments of a deletion", () => {
    it("of each process in turn: every deletion completes without help", async () => {
      const stack = running();
      const users: User[] = [];
      for (const [moment, victim] of KILLS) users.push(await deleteAndKill(stack, moment, victim));
      for (const user of users) await expectDeleted(stack, user);
    }, 900_000);
  });
}
