import { tasks } from "@trigger.dev/sdk";
import type { createEmbeddingForPost } from "../../../trigger/create-embedding-for-post.ts";

export async function POST(request: Request): Promise<Response> {
  if (request.headers.get("authorization") !== `Bearer ${process.env.SEQUIN_WEBHOOK_SECRET}`)
    return Response.json({ error: "Unauthorized" }, { status: 401 });
  const message = await request.json();
  return Response.json(
    await tasks.trigger<typeof createEmbeddingForPost>("create-embedding-for-post", message),
  );
}
