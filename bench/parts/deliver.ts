import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import type { FreshDatabase } from "./server.ts";
import { SECRET } from "./stack.ts";

const MOST_TIMES = 8;
const FIRST_PAUSE_MS = 100;

type Action = "insert" | "update" | "read";

/** A message as Sequin sends it. */
export type Message = { action: Action; record: { id: number }; changes: null; metadata: object };

let commits = 0;

/** Sequin's messages about one recent commit that changed these posts. */
export function messagesOf(action: Action, records: readonly { id: number }[]): Message[] {
  commits += 1;
  const commit = { commit_timestamp: new Date().toISOString(), commit_lsn: commits };
  return records.map((record, index) => ({
    action,
    record,
    changes: null,
    metadata: {
      ...commit,
      commit_idx: index,
      table_schema: "public",
      table_name: "posts",
      idempotency_key: `bench:${commits}:${index}`,
      record_pks: [String(record.id)],
      consumer: { id: "bench", name: "posts-embedding" },
    },
  }));
}

/** All posts, as the records of messages. */
export async function recordsOf({ client }: FreshDatabase): Promise<{ id: number }[]> {
  const { rows } = await client.query<{ id: string }>(
    "select id, title, body, author, created_at, updated_at from posts order by id",
  );
  return rows.map((record) => ({ ...record, id: Number(record.id) }));
}

// Much cheaper than fetch: delivering shares the cores with what is measured.
const agent = new Agent({ keepAlive: true });

async function post(url: string, body: string): Promise<{ status: number; text: string }> {
  const headers = {
    authorization: `Bearer ${SECRET}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  const sent = request(url, { method: "POST", agent, headers });
  sent.end(body);
  const [answer]: IncomingMessage[] = await once(sent, "response");
  if (!answer) throw new Error("There was no answer");
  return { status: answer.statusCode ?? 0, text: await text(answer) };
}

/**
 * Sends a body to the route for posts like Sequin: again after a while if the database did not store it. Resolves with
 * how often it was sent.
 */
export async function deliver(
  appUrl: string,
  body: unknown,
  path = "/api/create-embedding-for-post",
): Promise<number> {
  const json = JSON.stringify(body);
  for (let times = 1; ; times += 1) {
    const { status, text: answer } = await post(`${appUrl}${path}`, json);
    if (status === 200) return times;
    if (status !== 503 || times === MOST_TIMES)
      throw new Error(`A delivery was answered ${status}: ${answer}`);
    await setTimeout(FIRST_PAUSE_MS * 2 ** times);
  }
}
