import * as config from "../aftercommit.config.ts";
import { confirmationTask } from "../packages/aftercommit/src/deletions/tasks.ts";

export const sendDeletionConfirmation = confirmationTask(config);
