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
 * Pages to inspect and operate the local stack: an overview, and the pages of each part. Serve them only on loopback,
 * to requests whose host is loopback, because they show the contents of rows and e-mails to anyone. They accept changes
 * only from their own forms.
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
