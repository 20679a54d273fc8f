import { users } from "../aftercommit.config.ts";
import { cleanupTask } from "../packages/aftercommit/src/deletions/tasks.ts";

export const userDeletionCleanup = cleanupTask(users);
