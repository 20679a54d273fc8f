import { healthRoute } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

export const GET = healthRoute(config);
