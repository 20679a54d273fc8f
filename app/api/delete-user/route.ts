import { serve } from "aftercommit/next";
import { users } from "../../../aftercommit.config.ts";

export const POST = serve(users);
