import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { ApiError } from "./errors.ts";
import type { Server } from "./server.ts";

/** Lets requests through that carry one of the given keys as bearer token; 401 otherwise. */
export function requireKey(...keys: string[]): MiddlewareHandler {
  return async (c, next) => {
    if (!hasKey(c.req.header("authorization"), keys)) throw new ApiError(401, "Invalid API key");
    await next();
  };
}

export function hasKey(authorization: string | undefined, keys: string[]): boolean {
  const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  return token !== undefined && keys.some((key) => equal(token, key));
}

/**
 * Refuses changes that a page of another site asks for: the keys are no secret on the developer's machine.
 * There are no CORS headers either.
 */
export function refuseOtherSites({ url }: Pick<Server, "url">): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && !isSafe(c) && origin !== new URL(url()).origin)
      throw new ApiError(403, "Requests from other sites are not allowed");
    await next();
  };
}

function isSafe(c: Context): boolean {
  return c.req.method === "GET" || c.req.method === "HEAD";
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
