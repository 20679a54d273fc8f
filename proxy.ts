import { type NextRequest, NextResponse } from "next/server";
import { contentSecurityPolicy } from "./lib/access/content-security-policy.ts";
import { noteFailure } from "./lib/access/note-failure.ts";
import { refuseStranger } from "./lib/access/refuse-stranger.ts";

// Never the ingress routes: Next.js cuts a body over 10 MB that passes here, and Sequin has a secret of its own.
export const config = { matcher: ["/", "/api/search", "/api/retry-failed"] };

export async function proxy(request: NextRequest): Promise<Response> {
  const refusal = refuseStranger(request);
  // A browser asks without a password first.
  if (refusal?.status === 401 && request.headers.has("authorization"))
    await noteFailure(request, { route: request.nextUrl.pathname, reason: "wrong password" });
  if (refusal) return refusal;
  const development = process.env.NODE_ENV === "development";
  const policy = contentSecurityPolicy(crypto.randomUUID(), development);
  const headers = new Headers(request.headers);
  headers.set("content-security-policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  return response;
}
