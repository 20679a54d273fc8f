import { similarRoute } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

export const GET = similarRoute(config);
