import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { Declaration } from "../declare/declaration.ts";
import { fromSequin } from "../declare/declarations.ts";
import { routeOf } from "../declare/names.ts";
import { optional, required } from "../env/env.ts";
import { ask } from "./ask.ts";
import { type Category, failed, last, ok, skipped, warning } from "./finding.ts";
import { placeOf } from "./shown.ts";

// A batch without messages: the routes accept it and do nothing.
const NOTHING = JSON.stringify({ data: [] });
const DONE = z.object({ triggered: z.literal(0) });
const HEALTH = z.object({ failing: z.array(z.string()) });

const ADDRESS = "Set APP_URL to the address of the app as Sequin reaches it, without a path";
const DIRECT = "Set APP_URL to where the redirect leads, and keep login pages away from the routes";
const HEADER =
  "Whatever stands between Sequin and the app has to pass on the authorization header, and add none";
const SECRET = "Set the same SEQUIN_WEBHOOK_SECRET here, where the app runs, and where Sequin runs";
const LOG = "The app's log says why";

async function deliver(declaration: Declaration) {
  const path = routeOf(declaration);
  const post = (token?: string) => ask(new URL(path, required("APP_URL")), { token, body: NOTHING });
  const secret = required("SEQUIN_WEBHOOK_SECRET");
  const [right, wrong, none] = await Promise.all([post(secret), post(randomUUID()), post()]);
  return { path, right, wrong, none };
}

/** Whether the app accepts requests with Sequin's secret, and no others. Triggers nothing. */
export const ingress: Category = async function* ({ check, declarations }) {
  yield check("ingress.app", "Start the app (npm run dev, or npm start), or correct APP_URL", async () => {
    const url = optional("APP_URL");
    if (!url) return last(warning("APP_URL is not set", ADDRESS));
    const { status, json } = await ask(new URL("/api/health", url));
    if (status === 200) return ok(placeOf(url));
    const failing = HEALTH.safeParse(json).data?.failing.join(", ") || "unknown";
    return failed(`/api/health answers ${status}, failing: ${failing}`, LOG);
  });

  yield check("ingress.routes", SECRET, async () => {
    const own = fromSequin(declarations);
    if (own.length === 0) return skipped("no declaration is from Sequin");
    const routes = await Promise.all(own.map(deliver));
    for (const { path, right, wrong, none } of routes) {
      const moved = [right, wrong, none].find(({ status }) => status >= 300 && status < 400);
      if (moved) return failed(`${path} redirects to ${moved.location}`, DIRECT);
      const foreign = [right, wrong, none].find(({ json }) => json === undefined);
      if (foreign) return failed(`${path} answers ${foreign.status} with invalid JSON`, DIRECT);
      if (none.status !== 401) return failed(`${path} answers ${none.status} without a secret`, HEADER);
      if (wrong.status !== 401) return failed(`${path} answers ${wrong.status} to a wrong secret`, HEADER);
      if (right.status === 401) return failed(`${path} answers 401 to SEQUIN_WEBHOOK_SECRET`);
      if (right.status !== 200 || !DONE.safeParse(right.json).success)
        return failed(`${path} answers ${right.status} to an empty batch`, LOG);
    }
    return ok(routes.map(({ path }) => path).join(", "));
  });
};
