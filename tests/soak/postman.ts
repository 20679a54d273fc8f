import { setTimeout as sleep } from "node:timers/promises";
import type { DevStack } from "../helpers/stack/dev-stack.ts";
import type { Dice } from "./dice.ts";
import type { Known } from "./known.ts";

const PAUSE_MS = 150;

type Told = { appUrl: string; secret: string; known: Known };

/** A message as Sequin sends it. */
function message(table: "posts" | "users", action: string, record: { id: string }, commit: object) {
  const metadata = {
    ...commit,
    table_schema: "public",
    table_name: table,
    record_pks: [record.id],
    consumer: { id: "soak", name: "soak" },
  };
  return { action, record, changes: null, metadata };
}

/** The commit of a user's deletion, from the ledger's record of its first delivery; undefined until there is one. */
async function commitOf(stack: DevStack, userId: string): Promise<object | undefined> {
  const [deletion] = await stack
    .query<{ position: string }>(
      "select position from aftercommit.deletions where source = 'user' and row_id = $1",
      [userId],
    )
    .catch(() => []);
  const [, lsn, index, timestamp] = /^(\d+):(\d+):(.+)$/.exec(deletion?.position ?? "") ?? [];
  if (deletion && !timestamp) throw new Error(`The ledger has a deletion at ${deletion.position}`);
  if (!timestamp) return undefined;
  return { commit_lsn: Number(lsn), commit_idx: Number(index), commit_timestamp: timestamp };
}

/**
 * Delivers, in addition to Sequin, what Sequin may deliver, too: changes of long ago, with texts that the rows no
 * longer have, also of deleted rows, each up to three times in parallel. It also delivers forged deletes of users who
 * exist. Returns how many deliveries were acknowledged.
 */
export async function deliverAgain(
  stack: DevStack,
  { appUrl, secret, known }: Told,
  dice: Dice,
  endsAt: number,
): Promise<number> {
  let acknowledged = 0;
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${appUrl}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    }).catch(() => undefined);
    await response?.text().catch(() => "");
    if (response?.ok) acknowledged += 1;
  };
  for (let n = 0; Date.now() < endsAt; n += 1) {
    await sleep(PAUSE_MS);
    const forged = dice.below(25) === 0 ? dice.one(known.kept) : undefined;
    const user = dice.below(5) === 0 ? dice.one(known.deleted) : undefined;
    const id = dice.one(dice.below(4) ? known.posts : known.gone);
    const old = { title: "An old title", body: `An old body ${n}`, author: "Soak" };
    const times = Array.from({ length: 1 + dice.below(3) });
    if (forged) {
      const commit = { commit_lsn: n + 1, commit_idx: 0, commit_timestamp: new Date().toISOString() };
      const body = message("users", "delete", { ...forged }, commit);
      await Promise.all(times.map(() => post("/api/delete-user", body)));
    } else if (user) {
      const commit = await commitOf(stack, user.id);
      if (!commit) continue;
      const body = message("users", "delete", { ...user }, commit);
      await Promise.all(times.map(() => post("/api/delete-user", body)));
    } else if (id) {
      const action = dice.one(["insert", "update", "delete"]) ?? "insert";
      const commit = { commit_timestamp: new Date().toISOString(), idempotency_key: `soak:post:${n}` };
      const body = message("posts", action, { ...old, id }, commit);
      await Promise.all(times.map(() => post("/api/create-embedding-for-post", { data: [body] })));
    }
  }
  return acknowledged;
}
