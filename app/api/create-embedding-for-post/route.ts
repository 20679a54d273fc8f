import { embeddingRun } from "../../../lib/embeddings/embedding-run.ts";
import { receive } from "../../../lib/ingress/receive.ts";
import type { createEmbeddingForPost } from "../../../trigger/create-embedding-for-post.ts";

export const POST = (request: Request) => receive<typeof createEmbeddingForPost>(request, embeddingRun);
