import pg from "pg";

const SQL = `
create function told() returns trigger language plpgsql as
  $$ begin perform pg_notify('told', tg_argv[0] || ' ' || (to_jsonb(new) ->> tg_argv[1])); return null; end $$;
create trigger told after insert on aftercommit.pending for each row execute function told('inbox', 'row_id');
create trigger told after insert on post_embeddings for each row execute function told('visible', 'post_id');`;

/** Hears from the database when a post's entry in the inbox, and its vector, are committed. */
export async function listenForPosts(url: string) {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  await client.query(SQL);
  await client.query("listen told");
  const heard = new Map<string, number>();
  client.on("notification", ({ payload = "" }) => {
    if (!heard.has(payload)) heard.set(payload, performance.now());
  });
  return {
    inboxAt: (id: string) => heard.get(`inbox ${id}`),
    visibleAt: (id: string) => heard.get(`visible ${id}`),
    async end() {
      await client.query("drop function told cascade");
      await client.end();
    },
  };
}
