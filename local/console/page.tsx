/** @jsxImportSource hono/jsx */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { assetPath } from "./assets.ts";

const PLACES = [
  ["/", "Overview"],
  ["/runs", "Runs"],
  ["/deliveries", "Deliveries"],
  ["/mails", "Mails"],
  ["/external-system", "Deletion calls"],
] as const;

export type Place = (typeof PLACES)[number][0];

type Page = { title: string; place: Place; body: Child; status?: ContentfulStatusCode };

/** Answers a whole page of the console. */
export function answerPage(c: Context, { title, place, body, status = 200 }: Page) {
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Aftercommit local`}</title>
        <link rel="icon" href={assetPath("icon.svg")} />
        <link rel="stylesheet" href={assetPath("style.css")} />
        <script type="module" src={assetPath("refresh.js")} />
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to the content
        </a>
        <header>
          <a class="brand" href="/">
            Aftercommit <span>local</span>
          </a>
          <nav class="places" aria-label="Console">
            {PLACES.map(([path, name]) => (
              <a href={path} aria-current={path === place ? "page" : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <p id="live" role="status" hidden />
        </header>
        <main id="main" tabindex={-1}>
          {body}
        </main>
        <footer>
          <noscript>
            Reload the page to see what is new: without JavaScript it does not refresh by itself.
          </noscript>
        </footer>
      </body>
    </html>
  );
  return c.html(html`<!doctype html>${page}`, status);
}
