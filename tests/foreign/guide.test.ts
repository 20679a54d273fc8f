import { expect, it } from "vitest";
import { defineEmbedding } from "../../packages/aftercommit/src/define.ts";
import { appForTests } from "../helpers/foreign/app.ts";
import { DATABASES } from "../helpers/foreign/databases.ts";

const { declaration, tables } = DATABASES["of the guide, whose vectors have the name that ours would have"];
const unnamed = defineEmbedding({ row: "post", table: "public.posts", key: "id", text: ["title", "body"] });
const app = appForTests([declaration], { tables });
const all = async (query: string) => (await app.client.query(query)).rows;

it("if the name of the vectors' table is taken, migrate says how to choose another, and has created nothing", async () => {
  const vectors = await all("select * from post_embeddings order by id");
  await expect(app.migrate([unnamed])).rejects.toThrow(
    /defineEmbedding\(\{ row: "post" \}\), embeddings: .*public\.post_embeddings is taken.*choose another name: embeddings: "public\.\w+"/,
  );
  expect(await all("select from pg_namespace where nspname = 'aftercommit'")).toEqual([]);
  await app.migrate();
  await app.reconcile(declaration);
  expect(await app.drain(declaration)).toMatchObject({ embedded: vectors.length });
  expect(await all("select * from post_embeddings order by id")).toEqual(vectors);
  // The guide's vectors are deleted with their post, as before.
  await app.client.query("delete from posts");
  expect(await all("select * from post_embeddings")).toEqual([]);
});
