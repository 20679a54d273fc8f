import * as config from "../../../aftercommit.config.ts";
import { declarationsOf } from "../../../packages/aftercommit/src/declarations.ts";
import { healthOf } from "../../../packages/aftercommit/src/status/health.ts";

// Answered at each request, never at build time.
export const dynamic = "force-dynamic";

const health = healthOf(declarationsOf(config));

export async function GET(): Promise<Response> {
  const failing = await health();
  const headers = { "cache-control": "no-store" };
  if (failing.length > 0) return Response.json({ status: "failing", failing }, { status: 503, headers });
  return Response.json({ status: "ok" }, { headers });
}
