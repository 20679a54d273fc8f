import { declarationsOf } from "aftercommit";
import { serveAll } from "aftercommit/next";
import * as config from "../../../aftercommit.config.ts";

/**
 * The routes of all other declarations: `/api/create-embedding-for-comment`, `/api/delete-account`,
 * `/api/send-invoice`.
 */
export const POST = serveAll(declarationsOf(config));
