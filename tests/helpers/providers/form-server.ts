import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { startFaultyServer } from "../faulty-server.ts";
import type { Form } from "./forms.ts";
import { vectorOf } from "./strict-provider.ts";

/** A response instead of vectors; undefined means vectors. */
export type Fault =
  | { kind: "refuses"; status: number; message: string; headers?: Record<string, string> }
  | { kind: "hangs" }
  | { kind: "drops" }
  | { kind: "leaves one out" };

/** A server that answers in a provider's form, unless `rule` finds fault with the texts. */
export async function startFormServer(form: Form) {
  const state: {
    requests: string[][];
    bodies: unknown[];
    rule: (texts: readonly string[]) => Fault | undefined;
  } = {
    requests: [],
    bodies: [],
    rule: () => undefined,
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body: unknown = JSON.parse(await text(request));
    const texts = form.textsOf(body);
    state.requests.push(texts);
    state.bodies.push(body);
    const fault = state.rule(texts);
    const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(value));
    if (fault?.kind === "hangs") return;
    if (fault?.kind === "drops") return void response.destroy();
    if (fault?.kind === "refuses")
      return void json(fault.status, form.errorOf(fault.status, fault.message), fault.headers);
    const vectors = texts.map((one) => vectorOf(one));
    json(200, form.answerOf(fault ? vectors.slice(1) : vectors));
  };
  const server = await startFaultyServer((request, response) => void answer(request, response));
  return { state, url: server.url, close: server.close };
}
