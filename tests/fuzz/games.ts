import type { Chance } from "./chance.ts";
import { ROUTES } from "./messages.ts";
import { basic, bearer, chunked, type FuzzRequest, head, PASSWORD, SECRET } from "./request.ts";
import { goodBody } from "./valid.ts";

const REFUSED = [307, 308, 400, 401, 404, 405, 408, 411, 413, 414, 417, 422, 426, 431, 501, 505];

/** Requests that no client sends. The secret is right, but none is a whole request with a good body. */
function game(path: string, body: Buffer, chance: Chance): Buffer[] {
  const start = `POST ${path} HTTP/1.1`;
  const lines = [start, "host: fuzz", bearer(SECRET)];
  const length = `content-length: ${body.length}`;
  const chunks = "transfer-encoding: chunked";
  return chance.one<() => Buffer[]>([
    () => [head([...lines, length, `content-length: ${body.length + 1}`]), body],
    () => [head([...lines, length, chunks]), chunked(body, 50)],
    () => [
      head([...lines, `content-length: ${chance.one(["-1", "+5", "0x10", "1e3", "5, 6", "９", ""])}`]),
      body,
    ],
    () => [head([...lines, `content-length: ${chance.below(body.length)}`]), body],
    () => [
      head([...lines, chunks]),
      Buffer.from(chance.one(["zz\r\n", "-1\r\nx\r\n", "FFFFFFFFFFFFFFFFF\r\n"])),
      body,
    ],
    () => [head([...lines, "transfer-encoding: identity, chunked, gzip"]), body],
    () => [head([...lines, "transfer-encoding: xchunked"]), body],
    () => [head([...lines, length, `x-long: ${"x".repeat(20_000)}`]), body],
    () => [head([...lines, length, ...Array.from({ length: 3_000 }, (_, n) => `x-${n}: ${n}`)]), body],
    () => [head([...lines, length, "x-nul: \0"]), body],
    () => [head([...lines, length, "no colon here"]), body],
    () => [head([...lines, length, " folded: yes"]), body],
    () => [head([start, bearer(SECRET), length]), body],
    () => [head([`POST ${path} HTTP/9.9`, "host: fuzz", bearer(SECRET), length]), body],
    () => [head([`POST ${path}?${"x".repeat(30_000)} HTTP/1.1`, "host: fuzz", bearer(SECRET), length]), body],
    () => [head([`POST ${path} with spaces HTTP/1.1`, "host: fuzz", bearer(SECRET), length]), body],
    () => [head([`CONNECT fuzz:80 HTTP/1.1`, "host: fuzz", length]), body],
    () => [head([...lines, length, "expect: the-impossible"]), body],
    () => [
      head([`POST http://elsewhere.example${path}?q=1 HTTP/1.1`, "host: fuzz", bearer(SECRET), length]),
      body,
    ],
    () => [head([...lines, length, "rsc: 1", "next-action: x", "next-router-state-tree: %7B"]), body],
    () => [Buffer.from(chance.text(1 + chance.below(300)))],
    () => [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])],
    () => [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
    () => [Buffer.from(`GET ${path}\r\n\r\n`)],
    () => [
      Buffer.from([...lines, length, "connection: upgrade", "upgrade: websocket", "", ""].join("\r\n")),
      body,
    ],
    () => [head([`GET / HTTP/1.1`, "host: fuzz", basic("wrong"), "next-router-state-tree: %7B", "rsc: 1"])],
    () => [head([`POST / HTTP/1.1`, "host: fuzz", basic(PASSWORD), "next-action: 00", length]), body],
  ])();
}

export function headerGame(n: number, chance: Chance): FuzzRequest {
  const path = chance.one(ROUTES);
  // Never a body that is good as a whole: if a request is accepted, it must have no effect.
  const body = goodBody(path, n, chance).body.subarray(1);
  return { kind: "header games", pieces: game(path, body, chance), statuses: REFUSED, mayClose: true };
}
