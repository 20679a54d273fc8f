// Route handlers that take a web-standard Request: for Next.js, and for any other framework with such handlers.
export { contentSecurityPolicy } from "./access/content-security-policy.ts";
export { isFromOtherSite } from "./access/is-from-other-site.ts";
export { logUnauthorized } from "./access/log-unauthorized.ts";
export { requireBasicAuth } from "./access/require-basic-auth.ts";
export { deletionReceiptRoute } from "./routes/deletion-receipt.ts";
export { healthRoute } from "./routes/health.ts";
export { retryFailedRoute } from "./routes/retry-failed.ts";
export { searchRoute, similarRoute } from "./routes/search.ts";
export { serve, serveAll } from "./serve.ts";
export { startApp } from "./start-app.ts";
