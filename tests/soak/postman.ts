import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "./dice.ts";
import type { Known } from "./known.ts";

const PAUSE_MS = 150;

type Told = { appUrl: string; secret: string };

/** A message as Sequin sends it. */
function message(table: "posts" | "users", action: string, record: { id: string }, key: string) {
  const metadata = {
    table_schema: "public",
    table_name: table,
    commit_timestamp: new Date().toISOString(),
    idempotency_key: key,
    record_pks: [record.id],
    consumer: { id: "soak", name: "soak" },
  };
  return { action, record, changes: null, metadata };
}

/**
 * Delivers beside Sequin what it may deliver too: changes of long ago, with texts that the rows no longer have, also of
 * rows that are gone, each of them up to three times at once. Answers with how many deliveries were acknowledged.
 */
export async function deliverAgain(
  { appUrl, secret }: Told,
  known: Known,
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
    const user = dice.below(5) === 0 ? dice.one(known.deleted) : undefined;
    const id = dice.one(dice.below(4) ? known.posts : known.gone);
    const old = { title: "An old title", body: `An old body ${n}`, author: "Soak" };
    const times = Array.from({ length: 1 + dice.below(3) });
    if (user) {
      const body = message("users", "delete", { ...user }, `soak:user:${n}`);
      await Promise.all(times.map(() => post("/api/delete-user", body)));
    } else if (id) {
      const body = message("posts", dice.below(2) ? "insert" : "update", { ...old, id }, `soak:post:${n}`);
      await Promise.all(times.map(() => post("/api/create-embedding-for-post", { data: [body] })));
    }
  }
  return acknowledged;
}
