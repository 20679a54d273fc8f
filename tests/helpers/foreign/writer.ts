import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";

/** Statements of the owner's application: `$1` and `$2` are title and text of an insert, key and text of an edit. */
export type Statements = { insert: string; edit: string; remove: string };

// How fast someone writes; nothing waits for it. On a slow machine, others get their share.
const PACE_MS = 100;
const SHARE = 3;

/**
 * The owner's own statements, one after another on a dedicated connection, until it is stopped. Rejects if one of them
 * fails, or has to wait.
 */
export async function startWriter(url: string, { insert, edit, remove }: Statements) {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("set statement_timeout = '10s'; set lock_timeout = '5s'");
  let isStopped = false;
  let changes = 0;
  const change = async (statement: string, values: unknown[]) => {
    changes += 1;
    return (await client.query<{ id: string }>(statement, values)).rows[0]?.id;
  };

  async function write(): Promise<void> {
    for (let turn = 1; !isStopped; turn += 1) {
      const startedAt = Date.now();
      const id = await change(insert, [`Note ${turn}`, `written beside it, number ${turn}`]);
      if (turn % 2 === 0) await change(edit, [id, `edited beside it, number ${turn}`]);
      if (turn % 5 === 0) await change(remove, [id]);
      if (turn % 7 === 0) {
        await client.query("begin");
        for (let row = 1; row <= 12; row += 1)
          await change(insert, [`Import ${turn}`, `row ${row} of import ${turn}`]);
        await client.query("commit");
      }
      await sleep(PACE_MS + SHARE * (Date.now() - startedAt));
    }
  }

  const writing = write().finally(() => client.end());
  writing.catch(() => {});
  return {
    get changes() {
      return changes;
    },
    stop(): Promise<void> {
      isStopped = true;
      return writing;
    },
  };
}
