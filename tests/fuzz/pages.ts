import type { Chance } from "./chance.ts";
import { ROUTES } from "./messages.ts";
import { basic, bearer, type FuzzRequest, PASSWORD, plain, SECRET } from "./request.ts";

const password = basic(PASSWORD);
const own = "sec-fetch-site: same-origin";

const queries = (chance: Chance): string =>
  chance.one<() => string>([
    () => "q=bread",
    () => `q=${new URLSearchParams({ q: chance.text(1 + chance.below(40)) })}`,
    () => `q=${"x".repeat(chance.below(4_000))}`,
    () => "q=%00",
    () => "q=%ff%fe%zz",
    () => "q=%ed%a0%80",
    () => "q=a&q=b&q[]=c&q[__proto__]=d",
    () => "",
    () => `q=a&limit=${chance.one(["0", "51", "-1", "1e9", "NaN", "%00", "9".repeat(400), ""])}`,
    () => `q=a&in=${chance.one(["users", "__proto__", "posts;drop", "constructor", "%00"])}`,
    () => `q=a&limit=${1 + chance.below(50)}`,
  ])();

export const search = (_: number, chance: Chance): FuzzRequest => ({
  kind: "search",
  pieces: [plain({ method: "GET", path: `/api/search?${queries(chance)}`, headers: [password] })],
  statuses: [200, 400],
});

export const page = (_: number, chance: Chance): FuzzRequest => ({
  kind: "page",
  pieces: [
    plain({
      method: "GET",
      path: `/?${queries(chance)}`,
      headers: [password, ...chance.one([[], ["rsc: 1"], ["next-url: /%00"], ["accept-language: \xff"]])],
    }),
  ],
  statuses: [200, 307, 400],
});

export function retryFailed(_: number, chance: Chance): FuzzRequest {
  const [body, answer] = chance.one<[string | undefined, number]>([
    ["source=post", 303],
    ["x=1&source=post", 303],
    ["source=user", 400],
    ["source=__proto__", 400],
    ["x".repeat(100_000), 400],
    ["", 400],
    [undefined, 400],
  ]);
  const [headers, status] = chance.one<[string[], number]>([
    [[password, own], answer],
    [[password], 403],
    [[password, "sec-fetch-site: cross-site", "origin: http://fuzz"], 403],
    [[password, "origin: http://elsewhere.example"], 403],
    [[password, "origin: null"], 403],
  ]);
  return {
    kind: "retry-failed",
    pieces: [plain({ path: "/api/retry-failed", headers, body })],
    statuses: [status],
  };
}

export const health = (_: number, chance: Chance): FuzzRequest => ({
  kind: "health",
  pieces: [
    plain({
      method: "GET",
      path: `/api/health${chance.one(["", "?x=%ff", `?${"x".repeat(4_000)}`])}`,
      headers: chance.one([[], ["accept: nothing/at-all"], ["range: bytes=0-1,5-"], ["if-none-match: *"]]),
    }),
  ],
  statuses: [200],
});

// Not TRACE: Next.js answers it with 500, because no Request may have that method.
const METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCOL"] as const;

/** Routes with another method, and paths that do not exist. */
export function otherMethod(_: number, chance: Chance): FuzzRequest {
  const method = chance.one(METHODS);
  const [path = "/"] = [
    chance.one([
      ...ROUTES,
      "/api/health",
      "/api/%64elete-user/",
      "//api/delete-user",
      "/api/delete-user/..%2f..%2f",
      "/api/delete-user.rsc",
      "/%ff",
      "/_next/static/../../package.json",
      `/${"a/".repeat(1_000)}`,
      "/__proto__",
    ]),
  ];
  const headers = [bearer(SECRET), password];
  return {
    kind: "another method or path",
    pieces: [plain({ method, path, headers })],
    statuses: [200, 204, 307, 308, 400, 401, 404, 405, 501],
  };
}
