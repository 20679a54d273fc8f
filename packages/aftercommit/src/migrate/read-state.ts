import type { Connection } from "../catalog/read-table.ts";
import type { recordOf } from "./statements.ts";

/** A row of aftercommit.sources. `table` and `embeddings` are SQL, quoted. */
export type RecordedSource = ReturnType<typeof recordOf> & { oid: number; keyType: string };

type Facts = { hasVector: boolean; seesHalfvec: boolean; inWebAssembly: boolean; hasMigrations: boolean };

export async function readState(client: Connection) {
  const { rows } = await client.query<Facts>(
    `select exists (select from pg_extension where extname = 'vector') as "hasVector",
       to_regtype('halfvec') is not null as "seesHalfvec",
       version() ~* 'wasm|emscripten|emcc' as "inWebAssembly",
       exists (select from pg_tables where schemaname = 'aftercommit' and tablename = 'migrations') as "hasMigrations"`,
  );
  const [facts] = rows;
  if (!facts) throw new Error("the database answered without a row");
  const all = async <Row extends object>(isThere: boolean, query: string) =>
    isThere ? (await client.query<Row>(query)).rows : [];
  const applied = await all<{ name: string }>(facts.hasMigrations, "select name from aftercommit.migrations");
  const hasTables = applied.length > 0;
  const sources = await all<RecordedSource>(
    hasTables,
    `select name, kind, table_name as table, table_oid as oid, key_type as "keyType", fingerprint, embeddings
     from aftercommit.sources order by name`,
  );
  const active = await all(hasTables, "select from aftercommit.models where state = 'active'");
  return {
    ...facts,
    applied: new Set(applied.map(({ name }) => name)),
    sources,
    hasActiveModel: active.length > 0,
  };
}

export type State = Awaited<ReturnType<typeof readState>>;
