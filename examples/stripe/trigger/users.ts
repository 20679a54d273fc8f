import { cleanUpSystemTask, cleanupTask, confirmationTask, resumeTask } from "aftercommit/trigger";
import * as config from "../aftercommit.config";

export const userDeletionCleanup = cleanupTask(config.users);
export const resumeUserDeletions = resumeTask(config.users);
export const cleanUpExternalSystem = cleanUpSystemTask(config);
export const sendDeletionConfirmation = confirmationTask(config);
