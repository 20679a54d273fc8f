import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";

const message = z.looseObject({
  action: z.enum(["insert", "update", "delete", "read"]),
  record: z.record(z.string(), z.unknown()),
  changes: z.record(z.string(), z.unknown()).nullish(),
  metadata: z.looseObject({ table_name: z.string(), idempotency_key: z.string() }),
});
const body = z.union([z.object({ data: z.array(message) }), message.transform((one) => ({ data: [one] }))]);

export type Received = z.infer<typeof message> & {
  path: string;
  authorization: string | undefined;
  batch: boolean;
};

/**
 * Receives deliveries in place of the app. `refuse` decides which messages are answered 503; the others are
 * acknowledged.
 */
export async function startReceiver(port: number) {
  const state = { received: [] as Received[], refuse: (_: Received): boolean => false };
  const server = createServer(async (request, response) => {
    const raw = await json(request);
    const messages = body.parse(raw).data.map((one) => ({
      ...one,
      path: request.url ?? "",
      authorization: request.headers.authorization,
      batch: typeof raw === "object" && raw !== null && "data" in raw,
    }));
    state.received.push(...messages);
    response.writeHead(messages.some((one) => state.refuse(one)) ? 503 : 204).end();
  });
  // A Sequin in a container comes from another address.
  server.listen(port, port === 0 ? "127.0.0.1" : "0.0.0.0");
  await once(server, "listening");
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${bound}`,
    state,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
