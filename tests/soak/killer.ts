import { setTimeout as sleep } from "node:timers/promises";
import type { DevStack } from "../helpers/stack/dev-stack.ts";
import { EACH, VICTIMS } from "../helpers/stack/victims.ts";
import type { Dice } from "./dice.ts";

const RESTART = "the database, in order";

/** A matching process, as soon as there is one; undefined if there is none by `endsAt`. */
async function aliveOf(stack: DevStack, pattern: RegExp, endsAt: number): Promise<number | undefined> {
  while (Date.now() < endsAt) {
    const found = stack.processes().find(({ command }) => pattern.test(command));
    if (found) return found.pid;
    await sleep(200);
  }
  return undefined;
}

/** Whether a process has ended, as one that was asked to should within half a minute. */
async function hasEnded(stack: DevStack, pid: number): Promise<boolean> {
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(200))
    if (!stack.processes().some((process) => process.pid === pid)) return true;
  return false;
}

/**
 * Kills processes of the stack with -9, evenly until `endsAt`, each as often as the others, in a random order. Now and
 * then it also stops the local stack, with the database in it, in an orderly way and starts it again. Returns how often
 * each died, and how often the stack did not stop.
 */
export async function kill(
  stack: DevStack,
  dice: Dice,
  { kills, endsAt }: { kills: number; endsAt: number },
): Promise<{ died: Map<string, number>; unstopped: number }> {
  const died = new Map<string, number>();
  let unstopped = 0;
  const every = (endsAt - Date.now()) / (kills + 1);
  const startedAt = Date.now();
  let order: string[] = [];
  for (let n = 0; n < kills; n += 1) {
    await sleep(Math.max(0, startedAt + (n + 1) * every - Date.now()));
    if (order.length === 0) order = dice.shuffled([...EACH, RESTART]);
    const name = order.pop() ?? RESTART;
    const pattern = EACH.find((known) => known === name);
    const pid = await aliveOf(stack, VICTIMS[pattern ?? "the local stack"], endsAt);
    if (pid === undefined) break;
    try {
      process.kill(pid, pattern ? "SIGKILL" : "SIGTERM");
      died.set(name, (died.get(name) ?? 0) + 1);
    } catch {
      // It had just ended by itself.
    }
    if (!pattern && !(await hasEnded(stack, pid))) unstopped += 1;
  }
  return { died, unstopped };
}
