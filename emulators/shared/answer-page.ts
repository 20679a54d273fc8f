import type { Context } from "hono";
import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";

type Place = { title: string; place: string };

declare module "hono" {
  interface ContextRenderer {
    // biome-ignore lint/style/useShorthandFunctionType: Hono merges this interface with its own.
    (body: Child, props: Place): Response | Promise<Response>;
  }
}

type Page = Place & { body: Child; status?: ContentfulStatusCode };

/** Responds with a page in the frame of the console that the part is plugged into. */
export function answerPage(c: Context, { title, place, body, status = 200 }: Page) {
  c.status(status);
  return c.render(body, { title, place });
}
