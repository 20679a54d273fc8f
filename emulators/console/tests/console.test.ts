import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import type { Pages } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { expect, it } from "vitest";
import { createConsole } from "../console.tsx";
import { textOf } from "./open-pages.ts";

const clocks: Pages = {
  place: { path: "/clocks", name: "Clocks" },
  paths: ["/clocks/*"],
  routes: new Hono()
    .get("/clocks", (c) => answerPage(c, { title: "All clocks", place: "/clocks", body: "Tick" }))
    .get("/clocks/none", () => {
      throw new HTTPException(400, { message: "That is no clock" });
    })
    .get("/clocks/broken", () => {
      throw new Error("A spring broke");
    }),
  card: () => "Two clocks",
  latest: () => "The newest clock",
};

const lines: string[] = [];
const app = createConsole([clocks], (line) => lines.push(line));

async function get(path: string) {
  const response = await app.request(`http://127.0.0.1${path}`);
  return { status: response.status, html: await response.text() };
}

it("frames the page of a part, and marks its place", async () => {
  const { status, html } = await get("/clocks");
  expect(status).toBe(200);
  expect(html).toMatch(/^<!doctype html>.*<title>All clocks · /s);
  expect(html).toContain('<a href="/clocks" aria-current="page">Clocks</a>');
  expect(textOf(html)).toBe("Tick");
});

it("shows on its first page the card of each part and what is newest", async () => {
  expect(textOf((await get("/")).html)).toBe("Overview Two clocks The newest clock");
});

it("answers what a part refuses with its status, and logs only what broke", async () => {
  const refused = await get("/clocks/none");
  expect(refused.status).toBe(400);
  expect(textOf(refused.html)).toContain("That is no clock");
  expect(lines).toEqual([]);
  const broken = await get("/clocks/broken");
  expect(broken.status).toBe(500);
  expect(textOf(broken.html)).toContain("A spring broke");
  expect(lines).toEqual(["GET /clocks/broken failed: A spring broke"]);
});
