import { contentSecurityPolicy, logUnauthorized, requireBasicAuth } from "aftercommit/next";
import { type NextRequest, NextResponse } from "next/server";

// Everything but the routes that check access themselves, so that whatever you add asks for the password until you name
// it here: those of embeddings and deletions, the health check and search. A route of defineTrigger must be named, too.
// Next.js truncates a body over 10 MB that passes here, and Sequin does not know the password.
export const config = {
  matcher: [
    "/((?!api/(?:(?:create-embedding-for|delete)-[^/]+|health|search|similar)$|_next/|icon\\.svg$).*)",
  ],
};

const OWN = ["/", "/api/retry-failed", "/api/deletion-receipt"];

export function proxy(request: NextRequest): Response {
  const unauthorized = requireBasicAuth(request);
  // A browser first asks without a password.
  if (unauthorized?.status === 401 && request.headers.has("authorization"))
    logUnauthorized(OWN.find((path) => path === request.nextUrl.pathname) ?? "another path");
  if (unauthorized) return unauthorized;
  const development = process.env.NODE_ENV === "development";
  const policy = contentSecurityPolicy(crypto.randomUUID(), development);
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}
