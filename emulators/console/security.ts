import { isFromOwnPage, isSafe } from "@aftercommit/local-shared/refuse-other-origins.ts";
import { createMiddleware } from "hono/factory";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** What a page may load, and who may frame it. A handler that sets its own policy keeps it. */
export const securityHeaders = createMiddleware(async (c, next) => {
  await next();
  if (!c.res.headers.has("content-security-policy")) c.header("content-security-policy", POLICY);
  c.header("x-content-type-options", "nosniff");
  // Not no-referrer: a browser would send `Origin: null` with the console's own forms.
  c.header("referrer-policy", "same-origin");
  c.header("cross-origin-opener-policy", "same-origin");
  c.header("cross-origin-resource-policy", "same-origin");
  if (!c.res.headers.has("cache-control")) c.header("cache-control", "no-store");
});

/** Accepts a change only if the browser says that a page at this address sent it; otherwise 403. */
export const ownFormsOnly = createMiddleware(async (c, next) => {
  const site = c.req.header("sec-fetch-site") ?? "same-origin";
  if (isSafe(c) || (isFromOwnPage(c) && site === "same-origin")) return next();
  return c.text("Only the console's own pages may change something here.\n", 403);
});
