import { embeddingHandler } from "../../../lib/embeddings/embedding-handler.ts";
import { posts } from "../../../lib/embeddings/posts.ts";
import { receive } from "../../../lib/ingress/receive.ts";

export const POST = (request: Request) => receive(request, embeddingHandler(posts));
