import { drainTask, embedOneTask, indexTask, reconcileTask } from "aftercommit/trigger";
import { comments } from "../aftercommit.config";

export const createEmbeddingForComment = embedOneTask(comments);
export const createEmbeddingsForComments = drainTask(comments);
export const reconcileCommentEmbeddings = reconcileTask(comments);
export const indexCommentEmbeddings = indexTask(comments);
