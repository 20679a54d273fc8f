import { Hono } from "hono";
import { expect, it } from "vitest";
import { posts } from "@/aftercommit.config.ts";
import { newChange, secret } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";
import { serve } from "./serve.ts";

const { inbox } = embeddingRouteForTests("hono");

it("a handler serves deliveries in Hono like in Next.js", async () => {
  const handle = serve(posts);
  const path = "/api/create-embedding-for-post";
  const app = new Hono().post(path, (c) => handle(c.req.raw));
  const body = JSON.stringify(newChange("02_posts_update", { record_pks: ["77"] }));
  const headers = { "content-type": "application/json", authorization: `Bearer ${secret}` };
  expect((await app.request(path, { method: "POST", body })).status).toBe(401);
  const answer = await app.request(path, { method: "POST", body, headers });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ id: expect.stringMatching(/^run_/) });
  expect(await inbox()).toMatchObject([{ id: "77", queue: "realtime" }]);
});
