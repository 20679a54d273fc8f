import { serve } from "aftercommit/next";
import { comments } from "../../../aftercommit.config";

export const POST = serve(comments);
