import pg from "pg";
import { startFreshPostgres } from "../postgres.ts";
import { applyMigrations } from "../postgres-template.ts";

/** The variables of a shell that knows a real database. The systems are not ours: nothing must reach them. */
export const FOREIGN = {
  USER_DELETION_WEBHOOK_URLS: "https://systems.invalid/user-deleted",
  USER_DELETION_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}`,
};

// Vectors of another model and of another text: reconciliation would replace each of them.
const POSTS = `
  with made as (
    insert into posts (title, body, author)
    select 'Post ' || n, 'Body ' || n, 'Someone' from generate_series(1, $1::int) n returning id
  )
  insert into post_embeddings (post_id, model_id, chunk, chunks, text_hash, start, length, tokens, embedding)
  select made.id, m.id, 0, 1, md5(made.id::text)::uuid, 0, 10, 3, array_fill(0.025::real, array[1536])::halfvec
  from made, aftercommit.models m`;

// Idle for two hours, with a run that no Trigger.dev on this machine knows: a resumption would start them again.
const DELETIONS = `
  insert into aftercommit.deletions (source, row_id, position, email, accepted_xid, required_systems, run_id, requested_at,
    updated_at)
  select 'user', gen_random_uuid(), n, 'someone' || n || '@example.org', pg_current_xact_id(), '{webhook:systems.invalid}',
    'run_elsewhere' || n, now() - interval '2 hours', now() - interval '2 hours'
  from generate_series(1, 2) n`;

/** A production-like database: migrated, with embedded posts, users, and two open deletions. */
export async function startForeignDatabase(posts: number) {
  const postgres = await startFreshPostgres();
  await applyMigrations(postgres.url);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(POSTS, [posts]);
  await client.query(
    "insert into users (first_name, last_name, email) values ('Ada', 'L', 'ada@example.org')",
  );
  await client.query(DELETIONS);

  /** Every schema, table, trigger and row. */
  async function dump(): Promise<Record<string, string[]>> {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
    );
    const { rows: triggers } = await client.query<{ name: string }>(
      "select tgname || ' on ' || tgrelid::regclass as name from pg_trigger order by 1",
    );
    const all: Record<string, string[]> = { triggers: triggers.map(({ name }) => name) };
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `select to_jsonb(t)::text as row from ${name} t order by 1`,
      );
      all[name] = rows.map(({ row }) => row);
    }
    return all;
  }

  return {
    url: postgres.url,
    dump,
    async close() {
      await client.end();
      await postgres.close();
    },
  };
}
