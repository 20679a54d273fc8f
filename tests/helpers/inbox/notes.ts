import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import { Client } from "pg";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import type { EmbeddingDeclaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import type { Provider } from "../../../packages/aftercommit/src/declare/provider.ts";
import { defineEmbedding } from "../../../packages/aftercommit/src/define.ts";
import { embedLease } from "../../../packages/aftercommit/src/embeddings/embed-lease.ts";
import type { Lease } from "../../../packages/aftercommit/src/inbox/entry.ts";
import { leaseDue, leaseSettled } from "../../../packages/aftercommit/src/inbox/lease.ts";
import { migrate } from "../../../packages/aftercommit/src/migrate/migrate.ts";
import { CHUNKER } from "../../../packages/aftercommit/src/models/defaults.ts";
import { openai } from "../../../packages/aftercommit/src/providers/openai.ts";
import type { EmbeddingSource } from "../../../packages/aftercommit/src/source.ts";
import { runOn } from "../real-postgres.ts";

/** Someone's small table, some of whose rows `where` excludes. */
export const notes = defineEmbedding({
  row: "note",
  table: "public.notes",
  key: "id",
  text: ["body"],
  where: "published",
});

export const DIMENSIONS = 4;
export const MODEL = {
  provider: "openai",
  name: "first",
  dimensions: DIMENSIONS,
  dimensionsAsked: false,
  chunker: CHUNKER,
};

export async function createNotes(url: string): Promise<void> {
  await runOn(url, [
    "create table notes (id bigint primary key, body text not null, published boolean not null default true)",
  ]);
  await migrate({ url, declarations: [notes], model: MODEL });
}

/** The hash of a note's text, as stored with its vectors. */
export const hashOf = (body: string) =>
  createHash("md5")
    .update(`${notes.chunkTokens}:${body}`)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/** A provider of small vectors that first reports each request. */
export function provider(asked: (text: string, model: string) => unknown = () => {}): Provider {
  return {
    ...openai(),
    async embed({ model, texts }) {
      for (const text of texts) await asked(text, model);
      const vectors = texts.map(() => new Float32Array(DIMENSIONS).fill(0.5));
      return { vectors, tokens: texts.length, left: {} };
    },
  };
}

/** A declaration whose rows another provider embeds. */
export const embeddedBy = (one: Provider, declaration: EmbeddingDeclaration = notes) => ({
  ...declaration,
  providers: [one],
});

/** A source whose rows another provider embeds. */
export const sourceEmbeddedBy = (one: Provider, source: EmbeddingSource): EmbeddingSource => ({
  ...source,
  declaration: embeddedBy(one, source.declaration),
});

/** What a run of the drain leases next. */
export async function nextLease(db: Database, { name }: EmbeddingSource): Promise<Lease | undefined> {
  for (const queue of ["realtime", "batch"] as const) {
    const lease = await leaseDue(db, name, queue, 500);
    if (lease.entries.length > 0) return lease;
  }
  const lease = await leaseSettled(db, name, 500);
  return lease.entries.length > 0 ? lease : undefined;
}

/** Does the work of a drain's run, without lingering. */
export async function workOff(db: Database, of: EmbeddingSource, by = provider()): Promise<void> {
  const source = sourceEmbeddedBy(by, of);
  for (let lease = await nextLease(db, source); lease; lease = await nextLease(db, source))
    await embedLease({ db, source, priority: false, builds: true }, lease);
}

/**
 * Compares the vectors with the rows: what is left in the inbox, and each row whose vectors are not those of its text.
 */
export async function faultsOf(db: Database): Promise<{ pending: string[]; wrong: string[] }> {
  const { rows } = await db.execute<{ pending: string[]; wrong: string[] }>(sql`
    select
      array(select row_id from aftercommit.pending order by 1) as pending,
      array(select coalesce(n.id, e.note_id, w.note_id)::text
        from (select id, md5(${`${notes.chunkTokens}:`} || body)::uuid as hash from notes where published) n
        full join (select e.* from note_embeddings e join aftercommit.models m on m.id = e.model_id
          where m.state = 'active' and e.chunk = 0) e on e.note_id = n.id
        full join (select * from aftercommit.note_words where passage = 0) w on w.note_id = coalesce(n.id, e.note_id)
        where n.hash is distinct from e.text_hash or n.hash is distinct from w.text_hash order by 1) as wrong`);
  const [row] = rows;
  if (!row) throw new Error("The database answered without a row");
  return row;
}

/** A dedicated connection, which keeps a transaction open between statements. */
export async function startSession(url: string, settings = ""): Promise<Client> {
  const client = new Client({ connectionString: url, options: settings });
  client.on("error", () => {});
  await client.connect();
  return client;
}
