import { health } from "../../../lib/status/health.ts";

// Answered at each request, never at build time.
export const dynamic = "force-dynamic";

export async function GET(): Promise<Response> {
  const failing = await health();
  const headers = { "cache-control": "no-store" };
  if (failing.length > 0) return Response.json({ status: "failing", failing }, { status: 503, headers });
  return Response.json({ status: "ok" }, { headers });
}
