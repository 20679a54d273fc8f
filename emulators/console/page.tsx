/** @jsxImportSource hono/jsx */
import { createMiddleware } from "hono/factory";
import { html } from "hono/html";
import { assetPath } from "./assets.ts";

const OVERVIEW = { path: "/", name: "Overview" };

/** Puts each page that a handler returns into the console's frame, with these places in its navigation. */
export const framePages = (places: readonly { path: string; name: string }[]) =>
  createMiddleware(async (c, next) => {
    c.setRenderer((body, { title, place }) => {
      const page = (
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>{`${title} · Aftercommit local`}</title>
            <link rel="icon" href={assetPath("icon.svg")} />
            <link rel="stylesheet" href={assetPath("theme.css")} />
            <link rel="stylesheet" href={assetPath("style.css")} />
            <script type="module" src={assetPath("refresh.js")} />
          </head>
          <body>
            <a class="skip" href="#main">
              Skip to the content
            </a>
            <header>
              <a class="brand" href="/">
                <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
                  <path d="M3 16h8m10 0h8" />
                  <circle cx="16" cy="16" r="5" />
                </svg>
                Aftercommit <span>local</span>
              </a>
              <nav class="places" aria-label="Console">
                {[OVERVIEW, ...places].map(({ path, name }) => (
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
      return c.html(html`<!doctype html>${page}`);
    });
    await next();
  });
