import type { FreshDatabase } from "./server.ts";
import { SECRET } from "./stack.ts";

export type Message = { action: "insert"; record: object; changes: null; metadata: object };

/** What Sequin sends of each post's insert, the keys beginning with a prefix. */
export async function insertsOf({ client }: FreshDatabase, prefix = "bench"): Promise<Message[]> {
  const { rows } = await client.query<{ id: string }>(
    "select id, title, body, author, text_hash, created_at, updated_at from posts order by id",
  );
  return rows.map((record) => ({
    action: "insert",
    record: { ...record, id: Number(record.id) },
    changes: null,
    metadata: {
      table_schema: "public",
      table_name: "posts",
      commit_timestamp: new Date().toISOString(),
      idempotency_key: `${prefix}:${record.id}`,
      record_pks: [record.id],
      consumer: { id: "bench", name: "posts-embedding" },
    },
  }));
}

/** Sends a body to the route that takes posts, as Sequin does. */
export async function deliver(
  appUrl: string,
  body: unknown,
  path = "/api/create-embedding-for-post",
): Promise<void> {
  const response = await fetch(`${appUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`A delivery was answered ${response.status}: ${answer}`);
}
