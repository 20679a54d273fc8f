import { retryFailedRoute } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

export const POST = retryFailedRoute(config);
