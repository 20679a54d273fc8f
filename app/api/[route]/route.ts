import * as config from "../../../aftercommit.config.ts";
import { declarationsOf } from "../../../packages/aftercommit/src/declarations.ts";
import { serveAll } from "../../../packages/aftercommit/src/serve.ts";

/** The routes of all other declarations: `/api/create-embedding-for-comment`, `/api/delete-account`, `/api/send-invoice`. */
export const POST = serveAll(declarationsOf(config));
