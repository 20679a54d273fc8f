import { createHash } from "node:crypto";
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import type { Database } from "../../drizzle/client.ts";
import { embeddedPosts } from "../../drizzle/embedded-table.ts";
import { replaceEmbeddings } from "../../drizzle/queries/embeddings/replace-embeddings.ts";
import * as schema from "../../drizzle/schema.ts";
import { until } from "../until.ts";

// The first that a migrated database has.
const MODEL_ID = 1;

export type Text = { title: string; body: string };

/** A process beside others: one connection, with settings of its own. `pid` is its backend's. */
export async function startWorker(url: string, settings = "") {
  const pool = new Pool({
    connectionString: url,
    max: 1,
    // What nobody would end stands for a failure.
    options: `-c lock_timeout=60s ${settings}`,
    // A transaction is kept open between queries, however long the others take.
    idleTimeoutMillis: 0,
  });
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
    async writeVectors(id: bigint, text: Text) {
      const chunk = { vector: new Float32Array(1_536).fill(0.1), start: 0, length: 1, tokens: 1 };
      const row = { id: String(id), textHash: hashOf(text), chunks: [chunk] };
      return (await replaceEmbeddings(db, embeddedPosts, MODEL_ID, [row], null)).get(String(id));
    },
    end: () => pool.end(),
  };
}

export type Worker = Awaited<ReturnType<typeof startWorker>>;

/** The mark of the text that a post's stored vectors were made from. */
export function hashOf({ title, body }: Text): string {
  const digest = createHash("md5").update(`${title}\n\n${body}`).digest("hex");
  return digest.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export async function storedHashes({ sql }: Worker, id: bigint): Promise<string[]> {
  return (await sql("select text_hash from post_embeddings where post_id = $1", [id])).map((row) =>
    String(row.text_hash),
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
