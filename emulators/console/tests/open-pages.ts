import { startHttpServer } from "@aftercommit/local-shared/http-server.ts";
import type { Pages } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import { createConsole } from "../console.tsx";

/** The console with these pages, and other routes, on a free loopback port. */
export async function openPages(pages: readonly Pages[], app = new Hono()) {
  app.route(
    "/",
    createConsole(pages, () => {}),
  );
  const { url, server, close } = await startHttpServer(0, app);
  return {
    url,
    server,
    close,
    async get(path: string) {
      const response = await fetch(`${url}${path}`, { redirect: "manual" });
      return { status: response.status, headers: response.headers, html: await response.text() };
    },
    /** Sends a form like a browser on one of the console's own pages, unless the headers say otherwise. */
    async post(
      path: string,
      form: Record<string, string> = {},
      headers: Record<string, string> = { origin: url },
    ) {
      const body = new URLSearchParams(form);
      const response = await fetch(`${url}${path}`, { method: "POST", body, headers, redirect: "manual" });
      return {
        status: response.status,
        location: response.headers.get("location"),
        text: await response.text(),
      };
    },
  };
}

export type OpenPages = Awaited<ReturnType<typeof openPages>>;

/** The text of a page as a reader sees it: without tags, on one line. */
export function textOf(html: string): string {
  const main = /<main[^>]*>(.*)<\/main>/s.exec(html)?.[1] ?? "";
  const entities: Record<string, string> = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#39;": "'",
  };
  return main
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|amp|quot|#39);/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, " ")
    .trim();
}
