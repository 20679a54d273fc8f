import { resumeTask } from "aftercommit/trigger";
import { users } from "../aftercommit.config.ts";

export const resumeUserDeletions = resumeTask(users);
