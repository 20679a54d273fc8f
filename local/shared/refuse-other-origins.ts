import { createMiddleware } from "hono/factory";

/** Answers 403 to a page of another site that the developer has open: it must not change the local stack. */
export const refuseOtherOrigins = createMiddleware(async (c, next) => {
  const origin = c.req.header("origin");
  const own = origin === undefined || (URL.canParse(origin) && new URL(origin).host === c.req.header("host"));
  return own ? next() : c.json({ error: "This address answers its own pages only" }, 403);
});
