/** @jsxImportSource hono/jsx */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Log } from "../log.ts";
import { ApiError } from "../trigger/errors.ts";
import { assetRoutes } from "./assets.ts";
import { deliveryRoutes } from "./deliveries/routes.tsx";
import { externalSystemRoutes } from "./external-system/routes.tsx";
import { mailRoutes } from "./mails/routes.tsx";
import { overviewRoutes } from "./overview/routes.tsx";
import { answerPage } from "./page.tsx";
import type { ConsoleParts } from "./parts.ts";
import { runRoutes } from "./runs/routes.tsx";
import { ownFormsOnly, securityHeaders } from "./security.ts";

const PATHS = [
  "/",
  "/runs/*",
  "/projects/*",
  "/deliveries/*",
  "/mails/*",
  "/external-system/*",
  "/console/*",
];

/**
 * Pages to look at the local stack and to operate it. Serve them on loopback only, to requests that name loopback as
 * their host: they show what rows and mails hold, to whoever asks. Changes are taken from their own forms only.
 */
export function createConsole(parts: ConsoleParts, log: Log): Hono {
  const app = new Hono();
  for (const path of PATHS) app.use(path, securityHeaders, ownFormsOnly, bodyLimit({ maxSize: 64 * 1024 }));

  app.onError((error, c) => {
    const status = error instanceof ApiError ? error.status : 500;
    if (status === 500) log(`${c.req.method} ${c.req.path} failed: ${error.message}`);
    const body = (
      <>
        <h1>That did not work</h1>
        <p class="error">{error.message}</p>
      </>
    );
    return answerPage(c, { title: "That did not work", place: "/", body, status });
  });

  for (const routes of [
    overviewRoutes(parts),
    runRoutes(parts.trigger),
    deliveryRoutes(parts.sequin),
    mailRoutes(parts.mail),
    externalSystemRoutes(parts.externalSystem),
    assetRoutes(),
  ])
    app.route("/", routes);
  return app;
}
