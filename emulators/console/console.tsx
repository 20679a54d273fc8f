/** @jsxImportSource hono/jsx */

import { answerPage } from "@aftercommit/local-shared/answer-page.ts";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pages } from "@aftercommit/local-shared/part.ts";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { assetRoutes } from "./assets.ts";
import { Overview } from "./overview.tsx";
import { framePages } from "./page.tsx";
import { ownFormsOnly, securityHeaders } from "./security.ts";

/**
 * Pages to look at the local stack and to operate it: an overview, and what each part plugs in. Serve them on loopback
 * only, to requests that name loopback as their host: they show what rows and mails hold, to whoever asks. Changes are
 * taken from their own forms only.
 */
export function createConsole(parts: readonly Pages[], log: Log): Hono {
  const app = new Hono();
  const frame = framePages(parts.flatMap(({ place }) => place ?? []));
  for (const path of ["/", "/console/*", ...parts.flatMap(({ paths }) => paths)])
    app.use(path, frame, securityHeaders, ownFormsOnly, bodyLimit({ maxSize: 64 * 1024 }));

  app.onError((error, c) => {
    const status = error instanceof HTTPException ? error.status : 500;
    if (status === 500) log(`${c.req.method} ${c.req.path} failed: ${error.message}`);
    const body = (
      <>
        <h1>That did not work</h1>
        <p class="error">{error.message}</p>
      </>
    );
    return answerPage(c, { title: "That did not work", place: "/", body, status });
  });

  app.get("/", (c) => answerPage(c, { title: "Overview", place: "/", body: <Overview parts={parts} /> }));
  for (const { routes } of parts) app.route("/", routes);
  app.route("/", assetRoutes());
  return app;
}
