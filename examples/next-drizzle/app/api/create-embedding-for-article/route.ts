import { serve } from "aftercommit/next";
import { articles } from "../../../aftercommit.config";

export const POST = serve(articles);
