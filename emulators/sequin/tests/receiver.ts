import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { onFreePort } from "../../../tests/helpers/on-free-port.ts";

const record = z.record(z.string(), z.unknown());

/** The parts of a message that tests check. */
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

/** What a message is about. */
export const short = ({ action, metadata, record, changes }: Message) => ({
  action,
  table: metadata.table_name,
  pks: metadata.record_pks,
  record,
  changes,
});

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
  const receiver = { requests, answer: ok, messages: () => requests.flatMap((r) => r.messages) };
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
  const { port, close } = await onFreePort(server);
  return Object.assign(receiver, { url: `http://127.0.0.1:${port}`, close });
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;
