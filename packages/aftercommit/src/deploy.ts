// For trigger.config.ts: what `trigger.dev deploy` sends to where the tasks run.
export { taskVariables } from "./task-variables.ts";
