import type { Chance } from "./chance.ts";
import { ROUTES } from "./messages.ts";
import { basic, bearer, chunked, type FuzzRequest, head, PASSWORD, plain, SECRET } from "./request.ts";
import { goodBody } from "./valid.ts";

/** Headers without the right secret, although some contain it. */
const wrongSecrets = (chance: Chance): string[] =>
  chance.one<() => string[]>([
    () => [],
    () => ["authorization:"],
    () => [bearer("")],
    () => [bearer("undefined")],
    () => [bearer(SECRET.slice(0, -1))],
    () => [bearer(`${SECRET}x`)],
    () => [bearer(SECRET.toUpperCase())],
    () => [`authorization: ${SECRET}`],
    () => [`authorization: Basic ${Buffer.from(`:${SECRET}`).toString("base64")}`],
    () => [`x-authorization: Bearer ${SECRET}`],
    () => [`cookie: authorization=Bearer ${SECRET}`],
    () => [bearer(chance.text(30).replaceAll(/[^ -~]/g, "?"))],
    () => [bearer("x".repeat(8_000))],
    // Of two headers, the first counts.
    () => [bearer("wrong"), bearer(SECRET)],
    () => [bearer("wrong"), "x-middleware-subrequest: proxy:proxy:proxy:proxy:proxy"],
  ])();

/** Valid messages, and invalid ones, without the right secret. */
export function stranger(n: number, chance: Chance): FuzzRequest {
  const path = chance.one(ROUTES);
  const headers = wrongSecrets(chance);
  const { body } = goodBody(path, n, chance);
  const lines = [`POST ${path} HTTP/1.1`, "host: fuzz", ...headers, "transfer-encoding: chunked"];
  const pieces = chance.one([
    [plain({ path, headers, body })],
    [plain({ path, headers, body: body.subarray(1) })],
    [head(lines), chunked(body, 100)],
    // The rest never arrives.
    [head([`POST ${path} HTTP/1.1`, "host: fuzz", ...headers, "content-length: 1000000"]), body],
  ]);
  return { kind: "without the secret", pieces, statuses: [401] };
}

/** The same from one address, which has therefore failed often. */
export const strangerAgain = (n: number, chance: Chance): FuzzRequest => ({
  ...stranger(n, chance),
  kind: "without the secret, again",
  fromOneAddress: true,
});

const PAGES = ["/", "/api/search?q=bread", "/api/similar?id=1", "/api/retry-failed"] as const;

/** The pages without the right password. */
export function visitor(_: number, chance: Chance): FuzzRequest {
  const path = chance.one(PAGES);
  const method = path === "/api/retry-failed" ? "POST" : "GET";
  const headers = chance.one<string[]>([
    [],
    [basic("")],
    [basic(`${PASSWORD}x`)],
    [basic(PASSWORD.slice(1))],
    [`authorization: Basic ${PASSWORD}`],
    [bearer(PASSWORD)],
    ["authorization: Basic /===", "x-middleware-subrequest: proxy:proxy:proxy:proxy:proxy"],
    [basic("wrong"), "rsc: 1", "next-router-prefetch: 1"],
  ]);
  const own = "sec-fetch-site: same-origin";
  // Before a route sees a request of its router, Next.js redirects it to the same path with a hash of these headers.
  const isRedirected = headers.includes("rsc: 1") && path.includes("?");
  return {
    kind: "without the password",
    pieces: [plain({ method, path, headers: [...headers, own] })],
    statuses: isRedirected ? [401, 307] : [401],
  };
}
