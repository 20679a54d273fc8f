import { gzipSync } from "node:zlib";
import type { Chance } from "./chance.ts";
import { ROUTES, type Route, wrong } from "./messages.ts";
import { bearer, chunked, type FuzzRequest, head, plain, SECRET } from "./request.ts";
import { goodBody } from "./valid.ts";

const good = bearer(SECRET);
const gzip = "content-encoding: gzip";
const MEGABYTE = 1024 * 1024;

const BOMB = gzipSync(Buffer.alloc(200 * MEGABYTE));
const TOO_LARGE = Buffer.alloc(33 * MEGABYTE, "[");
const TOO_MANY = Buffer.from(`{"data":[${"0,".repeat(2_000_000)}0]}`);

type Given = { route: Route; n: number; body: Buffer; chance: Chance };
type Broken = Pick<FuzzRequest, "kind" | "statuses" | "mayClose"> & { body: Buffer; headers?: string[] };

const truncated = ({ body, chance }: Given): Broken => ({
  kind: "truncated",
  statuses: [400],
  body: body.subarray(0, chance.below(body.length)),
});

function notUtf8({ chance }: Given): Broken {
  const byte = Buffer.from([chance.one([0xff, 0xc0, 0xf8])]);
  const body = Buffer.concat([Buffer.from('{"record":{"id":1,"title":"'), byte, Buffer.from('"}}')]);
  return { kind: "not UTF-8", statuses: [400], body };
}

function notGzip({ body, chance }: Given): Broken {
  const zipped = gzipSync(body);
  const sent = chance.below(2) ? zipped.subarray(0, chance.below(zipped.length)) : body;
  return { kind: "broken gzip", statuses: [400], headers: [gzip], body: sent };
}

function nested({ chance }: Given): Broken {
  const levels = 1 + chance.below(200_000);
  const [open, close] = chance.one([
    ["[", "]"],
    ['{"record":', "}"],
  ]);
  const end = chance.below(2) ? `1${close.repeat(levels)}` : "";
  // A record within a record is a message without an action: the route that deletes skips it.
  return { kind: "nested", statuses: [200, 400, 422], body: Buffer.from(open.repeat(levels) + end) };
}

function wrongTypes({ route, n, chance }: Given): Broken {
  const value = () => wrong(route, n, chance);
  const body = chance.below(2) ? value() : { data: [value(), value()] };
  return { kind: "wrong types", statuses: [422], body: Buffer.from(JSON.stringify(body)) };
}

const huge = (chance: Chance): Broken =>
  chance.one<Broken>([
    { kind: "gzip bomb", statuses: [413], headers: [gzip], body: BOMB },
    { kind: "too large", statuses: [413], body: TOO_LARGE, mayClose: true },
    { kind: "too many messages", statuses: [413], body: TOO_MANY },
  ]);

function send(
  route: Route,
  { kind, statuses, mayClose, headers = [], body }: Broken,
  inChunks: boolean,
): FuzzRequest {
  const start = [`POST ${route} HTTP/1.1`, "host: fuzz", good, ...headers];
  const pieces = inChunks
    ? [head([...start, "transfer-encoding: chunked"]), chunked(body, 100_000)]
    : [plain({ path: route, headers: [good, ...headers], body })];
  return { kind, statuses, mayClose, pieces };
}

/** An unusable body with the right secret. */
export function broken(n: number, chance: Chance): FuzzRequest {
  const route = chance.one(ROUTES);
  const given = { route, n, chance, body: goodBody(route, n, chance).body };
  const make = chance.one([truncated, truncated, notUtf8, notGzip, nested, wrongTypes, wrongTypes]);
  return send(route, make(given), chance.below(4) === 0);
}

/** A body of many megabytes, as sent or after decompression. */
export const brokenAndHuge = (_: number, chance: Chance): FuzzRequest =>
  send(chance.one(ROUTES), huge(chance), chance.below(2) === 0);

/** A body that stops before its end: the server must not wait for the rest forever. */
export function unfinished(n: number, chance: Chance): FuzzRequest {
  const route = chance.one(ROUTES);
  const { body } = goodBody(route, n, chance);
  const lines = [`POST ${route} HTTP/1.1`, "host: fuzz", good, `content-length: ${body.length + 1}`];
  return { kind: "unfinished", statuses: [408], pieces: [head(lines), body] };
}
