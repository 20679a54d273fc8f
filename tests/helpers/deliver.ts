import { posts } from "../../aftercommit.config.ts";
import { POST } from "../../app/api/create-embedding-for-post/route.ts";
import { serve } from "../../packages/aftercommit/src/serve.ts";
import { type Recorded, recorded, withMetadata } from "../fixtures/recorded.ts";

export const secret = "a secret of the routes' tests";

const url = "http://localhost:3000/api/create-embedding-for-post";

export type Delivery = { body?: BodyInit; headers?: Record<string, string> };

let handle = POST;

/** Answers with a new server, which has counted no edits. */
export function restartServer(): void {
  handle = serve(posts);
}

let deliveries = 0;

/** Calls the route like Sequin, from a new address, with the right secret unless `headers` says otherwise. */
export async function deliverRaw({ body, headers }: Delivery) {
  deliveries += 1;
  const from = { "x-forwarded-for": `2001:db8::${deliveries.toString(16)}` };
  // A stream as body needs `duplex`, which lib.dom does not know.
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", ...from, ...headers },
    body,
    duplex: "half",
  };
  const response = await handle(new Request(url, init));
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export const deliver = (message: unknown) => deliverRaw({ body: JSON.stringify(message) });

let changes = 0;

/**
 * A recorded change of a post, as one that was not delivered before, in a new commit unless `metadata` says
 * otherwise. Keys in `metadata` are those of the record as well.
 */
export function newChange(name = "01_posts_insert", metadata: Record<string, unknown> = {}): Recorded {
  changes += 1;
  const message = withMetadata(recorded(name), {
    table_name: "posts",
    commit_lsn: 40_000_000 + changes,
    idempotency_key: Buffer.from(`${process.pid}:${changes}`).toString("base64"),
    ...metadata,
  });
  const [key] = Array.isArray(metadata.record_pks) ? metadata.record_pks : [];
  const id = key === undefined ? message.record.id : /^\d+$/.test(key) ? Number(key) : key;
  return { ...message, record: { ...message.record, id } };
}
