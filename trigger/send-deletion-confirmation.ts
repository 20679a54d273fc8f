import { confirmationTask } from "aftercommit/trigger";
import * as config from "../aftercommit.config.ts";

export const sendDeletionConfirmation = confirmationTask(config);
