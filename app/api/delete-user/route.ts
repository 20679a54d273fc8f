import { users } from "../../../aftercommit.config.ts";
import { serve } from "../../../packages/aftercommit/src/serve.ts";

export const POST = serve(users);
