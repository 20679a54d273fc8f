import * as config from "../aftercommit.config.ts";
import { cleanUpSystemTask } from "../packages/aftercommit/src/deletions/tasks.ts";

export const cleanUpExternalSystem = cleanUpSystemTask(config);
