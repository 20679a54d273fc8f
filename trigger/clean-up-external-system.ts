import { cleanUpSystemTask } from "aftercommit/trigger";
import * as config from "../aftercommit.config.ts";

export const cleanUpExternalSystem = cleanUpSystemTask(config);
