import { drainTask, embedOneTask, indexTask, reconcileTask } from "aftercommit/trigger";
import { articles } from "../aftercommit.config";

export const createEmbeddingForArticle = embedOneTask(articles);
export const createEmbeddingsForArticles = drainTask(articles);
export const reconcileArticleEmbeddings = reconcileTask(articles);
export const indexArticleEmbeddings = indexTask(articles);
