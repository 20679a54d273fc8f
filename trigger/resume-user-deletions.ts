import { users } from "../aftercommit.config.ts";
import { resumeTask } from "../packages/aftercommit/src/deletions/tasks.ts";

export const resumeUserDeletions = resumeTask(users);
