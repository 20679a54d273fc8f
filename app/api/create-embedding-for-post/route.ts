import { serve } from "aftercommit/next";
import { posts } from "../../../aftercommit.config.ts";

export const POST = serve(posts);
