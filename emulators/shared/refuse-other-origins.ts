import type { Context } from "hono";
import { createMiddleware } from "hono/factory";

/** Whether the request comes from a page of the same address; undefined if it does not come from a page. */
export function isFromOwnPage(c: Context): boolean | undefined {
  const origin = c.req.header("origin");
  if (origin === undefined) return undefined;
  return URL.canParse(origin) && new URL(origin).host === c.req.header("host");
}

export const isSafe = ({ req }: Context) => req.method === "GET" || req.method === "HEAD";

/** Responds 403 to a page of another site that the developer has open: it must not change the local stack. */
export const refuseOtherOrigins = createMiddleware(async (c, next) =>
  isFromOwnPage(c) === false ? c.json({ error: "This address answers its own pages only" }, 403) : next(),
);
