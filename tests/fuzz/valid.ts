import { gzipSync } from "node:zlib";
import type { Chance } from "./chance.ts";
import { ignored, type Message, message, ROUTES, type Route, rowOf, wrong } from "./messages.ts";
import { bearer, chunked, type FuzzRequest, head, type Piece, plain, SECRET } from "./request.ts";

const good = bearer(SECRET);
const OK = [200];

/** A body of valid messages, in one of the forms that a sink may send, and their rows. */
export function goodBody(route: Route, n: number, chance: Chance): { body: Buffer; rows: string[] } {
  const made = (count: number) => Array.from({ length: count }, (_, nth) => message(route, n, nth, chance));
  const messages = chance.one([() => made(1 + chance.below(3)), () => made(20)])();
  const [body, sent] = chance.one<() => [unknown, Message[]]>([
    () => [messages[0], messages.slice(0, 1)],
    () => [{ data: messages }, messages],
    () => [{ data: messages.map((data) => ({ ack_id: "a", data })) }, messages],
    () => [{ data: [...messages, wrong(route, n, chance), ignored(route, n, chance)] }, messages],
  ])();
  return { body: Buffer.from(JSON.stringify(body)), rows: sent.map(rowOf) };
}

/** The forms in which a body may be transferred: HTTP and Sequin allow each. */
function delivered(path: string, body: Buffer, chance: Chance): Piece[] {
  const start = `POST ${path} HTTP/1.1`;
  const cut = chance.below(body.length);
  return chance.one<() => Piece[]>([
    () => [plain({ path, headers: [good], body })],
    () => [plain({ path, headers: [good, "Content-Encoding: GZIP"], body: gzipSync(body) })],
    () => [plain({ path, headers: [good, "content-encoding: br", "content-type: text/plain"], body })],
    () => [
      head([start, "host: fuzz", good, "transfer-encoding: chunked"]),
      chunked(body, 1 + chance.below(5_000), chance.one(["", ";name=value"])),
    ],
    () => [plain({ path, headers: [good, ...Array.from({ length: 90 }, (_, i) => `x-${i}: ${i}`)], body })],
    () => [
      head([start, "host: fuzz", `authorization:bearer   ${SECRET}`, `content-length: ${body.length}`]),
      body.subarray(0, cut),
      chance.below(300),
      body.subarray(cut),
    ],
  ])();
}

export function valid(n: number, chance: Chance): FuzzRequest {
  const route = chance.one(ROUTES);
  const { body, rows } = goodBody(route, n, chance);
  return { kind: "valid", pieces: delivered(route, body, chance), statuses: OK, accepts: rows };
}

export function validAndLarge(n: number, chance: Chance): FuzzRequest {
  const good = message("/api/create-embedding-for-post", n, 0, chance);
  const body = JSON.stringify({ ...good, record: { ...good.record, body: "x".repeat(5_000_000) } });
  const pieces = delivered("/api/create-embedding-for-post", Buffer.from(body), chance);
  return { kind: "valid, 5 MB", pieces, statuses: OK, accepts: [rowOf(good)] };
}

/** Acknowledged, with nothing to do. */
export function empty(n: number, chance: Chance): FuzzRequest {
  const route = chance.one(ROUTES);
  const body = chance.one<unknown>([
    { data: [] },
    ignored(route, n, chance),
    { data: [ignored(route, n, chance)] },
  ]);
  return {
    kind: "ignored",
    pieces: delivered(route, Buffer.from(JSON.stringify(body)), chance),
    statuses: OK,
  };
}
