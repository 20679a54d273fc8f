import { escapeIdentifier, type Pool } from "pg";
import { z } from "zod";
import type { Config, Sink } from "../config/load.ts";
import { schemaSql } from "./schema.ts";

const identity = z.array(z.object({ id: z.string() }));

/** A sink of the file with its id, which it keeps as long as its name stays in the file. */
export type Installed = { databaseId: string; sinks: { id: string; sink: Sink }[] };

/**
 * Creates the schema if it is missing and updates its sinks to match the file. Unlike Sequin, which never deletes, this
 * forgets a sink that is no longer in the file, with its messages. Returns the forgotten names, too.
 */
export async function install(
  pool: Pool,
  schema: string,
  config: Config,
): Promise<Installed & { forgotten: string[] }> {
  const s = escapeIdentifier(schema);
  await pool.query(schemaSql(schema));
  const source = await pool.query(
    `insert into ${s}.source (name) values ($1) on conflict (name) do update set name = excluded.name returning id`,
    [config.database.name],
  );
  const gone = await pool.query(`delete from ${s}.sink where not name = any($1) returning name`, [
    config.sinks.map((sink) => sink.name),
  ]);
  const sinks: Installed["sinks"] = [];
  for (const sink of config.sinks) {
    const found = await pool.query(
      `insert into ${s}.sink (name) values ($1) on conflict (name) do update set name = excluded.name returning id`,
      [sink.name],
    );
    sinks.push({ id: onlyId(found.rows), sink });
  }
  return {
    databaseId: onlyId(source.rows),
    sinks,
    forgotten: z
      .array(z.object({ name: z.string() }))
      .parse(gone.rows)
      .map(({ name }) => name),
  };
}

function onlyId(rows: unknown): string {
  const [row] = identity.parse(rows);
  if (!row) throw new Error("the row that was just written is missing");
  return row.id;
}
