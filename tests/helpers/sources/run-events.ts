import type { Client } from "pg";
import type { Case, Event, Row } from "./cases.ts";

const columnsOf = (row: Row) => Object.keys(row);
const numbered = (row: Row) => columnsOf(row).map((_, n) => `$${n + 1}`);

async function run(client: Client, event: Event): Promise<void> {
  const { table } = event;
  switch (event.action) {
    case "read":
      throw new Error("A database cannot be told to take a snapshot");
    case "truncate":
      await client.query(`truncate ${table}`);
      return;
    case "insert": {
      const { after } = event;
      const values = `(${columnsOf(after)}) values (${numbered(after)})`;
      await client.query(`insert into ${table} ${values}`, Object.values(after));
      return;
    }
    case "update": {
      const { before, after } = event;
      const changed = Object.entries(after).filter(([column, value]) => before[column] !== value);
      const set = changed.map(([column], n) => `${column} = $${n + 2}`);
      const values = [before.id, ...changed.map(([, value]) => value)];
      await client.query(`update ${table} set ${set} where id = $1`, values);
      return;
    }
    case "delete":
      await client.query(`delete from ${table} where id = $1`, [event.before.id]);
  }
}

/** Does in a database what happened in a case, after emptying its tables. */
export async function runEvents(client: Client, { commits, identity = "full" }: Case): Promise<void> {
  await client.query("truncate posts, users, notes");
  for (const table of ["posts", "users"])
    await client.query(`alter table ${table} replica identity ${identity}`);
  for (const events of commits) {
    await client.query("begin");
    for (const event of events) await run(client, event);
    await client.query("commit");
  }
}
