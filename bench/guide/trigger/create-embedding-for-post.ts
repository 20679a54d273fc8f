import { task } from "@trigger.dev/sdk";
import OpenAI from "openai";
import { writeEmbedding } from "../write-embedding.ts";

const openai = new OpenAI();

type Message = { record: { id: number; title: string; body: string } };

export const createEmbeddingForPost = task({
  id: "create-embedding-for-post",
  run: async ({ record }: Message) => {
    const { data } = await openai.embeddings.create({
      model: "text-embedding-ada-002",
      input: `${record.title}\n\n${record.body}`,
    });
    const embedding = data[0]?.embedding ?? [];
    await writeEmbedding(record.id, embedding);
    return { ...record, embedding: JSON.stringify(embedding) };
  },
});
