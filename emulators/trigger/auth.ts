import { isFromOwnPage, isSafe } from "@aftercommit/local-shared/refuse-other-origins.ts";
import { sameSecret } from "@aftercommit/local-shared/same-secret.ts";
import type { MiddlewareHandler } from "hono";
import { ApiError } from "./errors.ts";

/** Accepts requests that carry one of the given keys as bearer token; otherwise 401. */
export function requireKey(...keys: string[]): MiddlewareHandler {
  return async (c, next) => {
    if (!hasKey(c.req.header("authorization"), keys)) throw new ApiError(401, "Invalid API key");
    await next();
  };
}

export function hasKey(authorization: string | undefined, keys: string[]): boolean {
  const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
  return token !== undefined && keys.some((key) => sameSecret(token, key));
}

/**
 * Rejects changes from pages of other sites: the keys are no secret on the developer's machine. There are no CORS
 * headers either.
 */
export const refuseOtherSites: MiddlewareHandler = async (c, next) => {
  if (isFromOwnPage(c) === false && !isSafe(c))
    throw new ApiError(403, "Requests from other sites are not allowed");
  await next();
};
