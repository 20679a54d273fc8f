import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, it, onTestFailed } from "vitest";
import { cloneProject } from "../helpers/clone.ts";
import { commitChanges } from "../helpers/stack/changes.ts";
import { expectDeleted, insertUser, type User } from "../helpers/stack/deletions.ts";
import { choosePorts, DevStack } from "../helpers/stack/dev-stack.ts";
import {
  everyPostEmbedded,
  noOrphans,
  WORKER_DEAD_MS,
  wrongEmbeddings,
} from "../helpers/stack/embeddings.ts";
import { EACH, VICTIMS, type Victim } from "../helpers/stack/victims.ts";
import { until } from "../helpers/until.ts";

let folder: string;
let stack: DevStack;

beforeAll(async () => {
  folder = cloneProject();
  stack = new DevStack(folder, await choosePorts(), { LOCAL_EMBEDDING_MODEL: "hashing" });
  await stack.ready();
  await everyPostEmbedded(stack);
});

beforeEach(() => {
  onTestFailed(() => console.log(stack.output));
});

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
});

/**
 * Kills the process that was found, or its successor: on a slow machine, an idle worker may have ended in the meantime.
 */
async function kill(victim: Victim, found: number): Promise<number> {
  for (let pid = found; ; pid = (await stack.find(VICTIMS[victim])).pid) {
    try {
      process.kill(pid, "SIGKILL");
      return pid;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

async function runsAgain(victim: Victim, killed: number): Promise<void> {
  await until(
    () => stack.processes().some(({ command, pid }) => pid !== killed && VICTIMS[victim].test(command)),
    { everyMs: 200, what: `new process of ${victim}`, progress: () => stack.progress() },
  );
}

const CHANGES = 200;

// Milliseconds from a deletion's commit to the kill: from before its delivery to after its e-mail, oldest first.
const AGES = [2_000, 1_300, 900, 600, 400, 250, 150, 80, 30, 0] as const;

const insertUsers = (victim: Victim): Promise<User[]> =>
  Promise.all(AGES.map((age) => insertUser(stack, `${victim.replaceAll(/[^a-z]/gi, "-")}-${age}`)));

/** Commits a deletion of each age. */
async function deleteUsers(users: readonly User[]): Promise<void> {
  for (const [index, { id }] of users.entries()) {
    await stack.query("delete from users where id = $1", [id]);
    // Not a wait: the age of each deletion is what this test varies.
    await sleep((AGES[index] ?? 0) - (AGES[index + 1] ?? 0));
  }
}

async function expectEveryEmbedding(): Promise<void> {
  await everyPostEmbedded(stack);
  await until(async () => (await wrongEmbeddings(stack)).length === 0, {
    everyMs: 500,
    what: "right embedding of every post",
    progress: () => stack.output,
    stuckMs: WORKER_DEAD_MS,
  });
  await noOrphans(stack);
}

async function expectEveryDeletion(users: readonly User[]): Promise<void> {
  await until(() => fetch(`http://127.0.0.1:${stack.ports.http}/local/mail`).catch(() => undefined), {
    everyMs: 200,
    what: "answer of the local stack",
    progress: () => stack.progress(),
  });
  for (const user of users) await expectDeleted(stack, user);
}

describe(`kill -9 in the middle of ${CHANGES} changes and of deletions of ${AGES.length} ages loses nothing`, () => {
  it.each(EACH)("of %s", async (victim) => {
    const users = await insertUsers(victim);
    let { pid } = await stack.find(VICTIMS[victim]);
    await commitChanges(stack.databaseUrl, CHANGES, async (n) => {
      if (n !== CHANGES / 2) return;
      await deleteUsers(users);
      pid = await kill(victim, pid);
    });
    await runsAgain(victim, pid);
    await expectEveryEmbedding();
    await expectEveryDeletion(users);
  });
});

it("a CLI that finds no Trigger.dev when it registers its worker is started again", async () => {
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
      await kill("the local stack", local);
      return said(/Build failed/);
    },
    { everyMs: 200, what: "its giving up", progress: () => stack.progress() },
  );
  await commitChanges(stack.databaseUrl, 1, async () => {});
  await expectEveryEmbedding();
});
