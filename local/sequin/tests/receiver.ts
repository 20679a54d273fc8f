import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

const record = z.record(z.string(), z.unknown());

/** The parts of a message that tests look at. */
export const message = z.looseObject({
  record,
  changes: record.nullable(),
  action: z.string(),
  metadata: z.looseObject({
    table_schema: z.string(),
    table_name: z.string(),
    commit_timestamp: z.string(),
    commit_lsn: z.number().nullable(),
    commit_idx: z.number().nullable(),
    idempotency_key: z.string(),
    record_pks: z.array(z.string()),
    consumer: z.object({ id: z.string(), name: z.string(), annotations: record }),
  }),
});
export type Message = z.infer<typeof message>;

type Received = {
  method: string | undefined;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The single message, or those of the batch. */
  messages: Message[];
  at: number;
};

export type Answer = (received: Received, response: ServerResponse) => void;

export const ok: Answer = (_, response) => void response.end();
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    void response.writeHead(code, headers).end();

const body = z.union([
  z.object({ data: z.array(message) }).transform(({ data }) => data),
  message.transform((one) => [one]),
]);

/** A webhook receiver on a free port. `answer` decides each response and may be replaced at any time. */
export async function startReceiver() {
  const requests: Received[] = [];
  const receiver = {
    url: "",
    requests,
    answer: ok,
    messages: () => requests.flatMap((r) => r.messages),
    close,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw).toString();
    const parsed = body.safeParse(JSON.parse(text));
    const received = {
      method: request.method,
      url: request.url ?? "",
      headers: request.headers,
      body: text,
      messages: parsed.data ?? [],
      at: performance.now(),
    };
    requests.push(received);
    receiver.answer(received, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  receiver.url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;

  async function close(): Promise<void> {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  return receiver;
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
