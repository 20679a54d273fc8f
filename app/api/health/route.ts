import { healthRoute } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

// Answered at each request, never at build time.
export const dynamic = "force-dynamic";

export const GET = healthRoute(config);
