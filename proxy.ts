import { contentSecurityPolicy, logUnauthorized, requireBasicAuth } from "aftercommit/next";
import { type NextRequest, NextResponse } from "next/server";

// Never the ingress routes: Next.js truncates a body over 10 MB that passes here, and they check Sequin's secret. The
// search routes check access themselves.
export const config = { matcher: ["/", "/api/retry-failed", "/api/deletion-receipt"] };

export function proxy(request: NextRequest): Response {
  const unauthorized = requireBasicAuth(request);
  // A browser first asks without a password.
  if (unauthorized?.status === 401 && request.headers.has("authorization"))
    logUnauthorized(config.matcher.find((path) => path === request.nextUrl.pathname) ?? "/");
  if (unauthorized) return unauthorized;
  const development = process.env.NODE_ENV === "development";
  const policy = contentSecurityPolicy(crypto.randomUUID(), development);
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}
