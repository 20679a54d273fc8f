import { setTimeout as sleep } from "node:timers/promises";
import type { DevStack } from "../helpers/stack/dev-stack.ts";
import type { Dice } from "./dice.ts";
import type { Known } from "./known.ts";

const CALM_MS = 8_000;
const HELD_MS = 20_000;

/** Tries again while the local stack is down. */
async function insist<T>(action: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await action();
    } catch {
      await sleep(500);
    }
}

/**
 * Puts users on hold with the command, deletes them, and releases them later. Returns when each was released at the
 * earliest: nothing may be sent about it before.
 */
export async function hold(
  stack: DevStack,
  known: Known,
  dice: Dice,
  endsAt: number,
): Promise<Map<string, number>> {
  const releasedAt = new Map<string, number>();
  const isHeld = async (id: string) =>
    (await stack.query("select from aftercommit.deletion_holds where row_id = $1", [id])).length > 0;
  const deletions = (...args: string[]) => stack.command("deletions", ...args).catch(() => undefined);

  while (Date.now() < endsAt) {
    await sleep(CALM_MS / 2 + dice.below(CALM_MS));
    const { id, email } = known.newUser(dice);
    await insist(() =>
      stack.query(
        "insert into users (id, first_name, last_name, email) values ($1, 'Soak', 'Held', $2) on conflict do nothing",
        [id, email],
      ),
    );
    // A command that failed may have succeeded in the database.
    while (!(await insist(() => isHeld(id)))) await deletions("hold", "--user", id, "--reason", "soak");
    known.tried.add(id);
    await insist(() => stack.query("delete from users where id = $1", [id]));
    await sleep(HELD_MS / 2 + dice.below(HELD_MS));
    releasedAt.set(id, Date.now());
    while (await insist(() => isHeld(id))) await deletions("release", "--user", id);
  }
  return releasedAt;
}
