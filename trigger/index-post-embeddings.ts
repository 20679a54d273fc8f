import { indexTask } from "aftercommit/trigger";
import { posts } from "../aftercommit.config.ts";

export const indexPostEmbeddings = indexTask(posts);
