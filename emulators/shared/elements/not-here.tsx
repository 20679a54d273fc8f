/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { answerPage } from "../answer-page.ts";

/** The page of a part that this stack was started without. */
export function answerNotHere(
  c: Context,
  { title, place, instead }: { title: string; place: string; instead: string },
) {
  const body = (
    <>
      <h1>{title}</h1>
      <p class="empty">Not running here: {instead}</p>
    </>
  );
  return answerPage(c, { title, place, body });
}

/** Responds 404 with a page. */
export function answerMissing(c: Context, { place, what }: { place: string; what: string }) {
  const body = (
    <>
      <h1>Not found</h1>
      <p class="empty">{what}</p>
    </>
  );
  return answerPage(c, { title: "Not found", place, body, status: 404 });
}
