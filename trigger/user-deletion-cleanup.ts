import { cleanupTask } from "aftercommit/trigger";
import { users } from "../aftercommit.config.ts";

export const userDeletionCleanup = cleanupTask(users);
