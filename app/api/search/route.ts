import { searchRoute } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

export const GET = searchRoute(config);
