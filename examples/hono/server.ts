import { serve as listen } from "@hono/node-server";
import { healthRoute, searchRoute, serve } from "aftercommit/next";
import { Hono } from "hono";
import * as config from "./aftercommit.config";

// Created once: a handler counts changes to tell single edits from bulk updates.
const embedPosts = serve(config.posts);
const search = searchRoute(config);
const health = healthRoute(config);

const app = new Hono()
  .post("/api/create-embedding-for-post", (c) => embedPosts(c.req.raw))
  .get("/api/search", (c) => search(c.req.raw))
  .get("/api/health", (c) => health(c.req.raw));

listen({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });
