// The tasks: one line per task in a file of your Trigger.dev project.
export {
  cleanUpSystemTask,
  cleanupTask,
  confirmationTask,
  resumeTask,
} from "./deletions/tasks.ts";
export { drainTask, embedOneTask, indexTask, reconcileTask } from "./embeddings/tasks.ts";
