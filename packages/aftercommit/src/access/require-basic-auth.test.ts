import { unstable_doesMiddlewareMatch } from "next/experimental/testing/server.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { config } from "@/proxy.ts";
import { requireBasicAuth } from "./require-basic-auth.ts";

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

const refusal = (authorization?: string) =>
  requireBasicAuth(new Request("http://localhost/", { headers: authorization ? { authorization } : {} }));

beforeEach(() => {
  vi.stubEnv("NODE_ENV", "production");
  vi.stubEnv("DASHBOARD_PASSWORD", "correct: horse ü");
});
afterEach(() => vi.unstubAllEnvs());

describe("in production", () => {
  it.each(["anyone", "", "admin"])("the password opens for the user name %j", (name) => {
    expect(refusal(basic(`${name}:correct: horse ü`))).toBeUndefined();
  });

  it.each([
    ["no header", undefined],
    ["a wrong password", basic("a:wrong")],
    ["an empty password", basic("a:")],
    ["a prefix of the password", basic("a:correct")],
    ["the password as user name", basic("correct: horse ü:")],
    ["no colon", basic("horse")],
    ["no base64", "Basic ###"],
    ["the password bare", "correct: horse ü".replace("ü", "u")],
    ["a bearer token", `Bearer ${Buffer.from("a:correct: horse ü").toString("base64")}`],
  ])("%s is answered 401 with what to send", (_, header) => {
    const response = refusal(header);
    expect(response?.status).toBe(401);
    expect(response?.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
  });

  it.each(["", "   "])("nothing exists when the password is %j", (password) => {
    vi.stubEnv("DASHBOARD_PASSWORD", password);
    for (const header of [undefined, basic("a:"), basic(`a:${password}`), basic("a:undefined")])
      expect(refusal(header)?.status).toBe(404);
  });
});

it("in development everything is open", () => {
  vi.stubEnv("NODE_ENV", "development");
  expect(refusal()).toBeUndefined();
});

it.each([
  ["/", true],
  ["/?q=bread", true],
  ["/api/retry-failed", true],
  ["/api/deletion-receipt?id=1", true],
  ["/api/create-embedding-for-post", false],
  ["/api/delete-user", false],
  ["/api/health", false],
  ["/api/search?q=bread", false],
  ["/api/similar?id=1", false],
])("the proxy protects %s: %s", (url, expected) => {
  expect(unstable_doesMiddlewareMatch({ config, nextConfig: {}, url })).toBe(expected);
});
