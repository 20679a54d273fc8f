import type { IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { startFaultyServer } from "../faulty-server.ts";

export type Received = { method: string; path: string; headers: IncomingHttpHeaders; body: string };
type Reply = { status: number; headers?: Record<string, string>; body?: string };

/** An external system that keeps the requests, and answers as configured; 204 by default. */
export async function startSystem(answer: (request: Received) => Reply = () => ({ status: 204 })) {
  const requests: Received[] = [];
  const system = { answer, held: undefined as { type: string; until: Promise<void> } | undefined };
  const server = await startFaultyServer(async (request, response) => {
    const { method = "", url = "", headers } = request;
    const received = { method, path: url, headers, body: await text(request) };
    requests.push(received);
    if (system.held && received.body.includes(system.held.type)) await system.held.until;
    const { status, headers: named, body } = system.answer(received);
    response.writeHead(status, named).end(body);
  });
  return {
    url: server.url,
    requests,
    /** The types of the received events, in order. */
    types: () => requests.map(({ body }): string => JSON.parse(body).type),
    behave(next: (request: Received) => Reply) {
      system.answer = next;
    },
    /** Answers no event of a type until the returned function is called. */
    holdAnswersTo(type: string): () => void {
      let release = () => {};
      const until = new Promise<void>((resolve) => {
        release = resolve;
      });
      system.held = { type, until };
      return () => {
        system.held = undefined;
        release();
      };
    },
    close: server.close,
  };
}

/** The event of a request; throws if it is not signed with the secret. */
export const verifiedBy = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, {
    "webhook-id": String(headers["webhook-id"]),
    "webhook-timestamp": String(headers["webhook-timestamp"]),
    "webhook-signature": String(headers["webhook-signature"]),
  });
