import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import type { Database } from "../../drizzle/client.ts";
import { replaceEmbeddings } from "../../drizzle/queries/post-embeddings.ts";
import * as schema from "../../drizzle/schema.ts";
import { fingerprintOf } from "../../lib/embeddings/fingerprint.ts";
import { until } from "../until.ts";

const MODEL = "text-embedding-3-small";

export type Text = { title: string; body: string };

/** A process beside others: one connection, with settings of its own. `pid` is its backend's. */
export async function startWorker(url: string, settings = "") {
  const address = new URL(url);
  if (settings) address.searchParams.set("options", settings);
  const pool = new Pool({ connectionString: address.href, max: 1 });
  pool.on("error", () => {});
  // One that is lost while somebody has it.
  pool.on("connect", (client) => client.on("error", () => {}));
  const db: Database = drizzle({ client: pool, schema });
  const sql = async (text: string, values: unknown[] = []) => (await pool.query(text, values)).rows;
  const [row] = await sql("select pg_backend_pid() as pid");
  return {
    db,
    sql,
    pid: Number(row?.pid),
    /** The end of a run: writes the vectors of a text, if the row still has it. */
    writeVectors: (id: bigint, text: Text) =>
      replaceEmbeddings(db, {
        id,
        model: MODEL,
        chunks: [{ embedding: Array(schema.EMBEDDING_DIMENSIONS).fill(0.1), tokens: 1 }],
        ...fingerprintOf(text, MODEL),
      }),
    end: () => pool.end(),
  };
}

export type Worker = Awaited<ReturnType<typeof startWorker>>;

/** The mark of the text that a post's stored vectors were made from. */
export const hashOf = (text: Text) => fingerprintOf(text, MODEL).contentHash;

export async function storedHashes({ sql }: Worker, id: bigint): Promise<string[]> {
  return (await sql("select content_hash from post_embeddings where post_id = $1", [id])).map((row) =>
    String(row.content_hash),
  );
}

/** Resolves when one backend waits for a lock that another one holds. */
export const blocked = ({ sql }: Worker, waiting: Pick<Worker, "pid">, holder: Pick<Worker, "pid">) =>
  until(
    async () => (await sql("select $2 = any(pg_blocking_pids($1)) as is", [waiting.pid, holder.pid]))[0]?.is,
    {
      what: `backend ${waiting.pid} waiting for ${holder.pid}`,
    },
  );
