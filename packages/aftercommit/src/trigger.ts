// The tasks, for a project of Trigger.dev: one line for each in a file that the project registers.
export {
  cleanUpSystemTask,
  cleanupTask,
  confirmationTask,
  resumeTask,
} from "./deletions/tasks.ts";
export { drainTask, embedOneTask, indexTask, reconcileTask } from "./embeddings/tasks.ts";
