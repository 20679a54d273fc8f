import { randomUUID } from "node:crypto";
import * as z from "zod";
import { required } from "../env.ts";
import { type Answer, ask, bearer } from "./ask.ts";
import { type Check, good, once, problem } from "./check.ts";
import { placeOf } from "./on-this-machine.ts";
import { readSequinYaml } from "./sequin-yaml.ts";

// A batch without a message: the routes take it and have nothing to do.
const NOTHING = JSON.stringify({ data: [] });
const DONE = z.object({ triggered: z.literal(0) });
const HEALTH = z.object({ failing: z.array(z.string()) });

type Met = { path: string; good: Answer; wrong: Answer; missing: Answer };

async function meet(path: string): Promise<Met> {
  const url = new URL(path, required("APP_URL")).href;
  const post = (headers: Record<string, string>) =>
    ask(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: NOTHING });
  const [right, wrong, missing] = await Promise.all([
    post(bearer(required("SEQUIN_WEBHOOK_SECRET"))),
    post(bearer(randomUUID())),
    post({}),
  ]);
  return { path, good: right, wrong, missing };
}

/** Whether the app takes what Sequin sends with the secret, and nothing else. Triggers nothing. */
export function ingress(): Check[] {
  const met = once(async () => {
    const { sinks } = await readSequinYaml();
    return Promise.all(sinks.map(({ destination }) => meet(destination.http_endpoint_path)));
  });
  const health = once(() => ask(new URL("/api/health", required("APP_URL")).href));
  return [
    {
      id: "ingress.address",
      description: "APP_URL says where Sequin delivers to",
      hint: "Set APP_URL to the address of the app as Sequin has it, without a path",
      warning: true,
      fatal: true,
      run: async () => good(placeOf(required("APP_URL"))),
    },
    {
      id: "ingress.answers",
      description: "the app at APP_URL answers",
      hint: "Start the app (npm run dev, or npm start), or correct APP_URL",
      fatal: true,
      needs: ["ingress.address"],
      async run() {
        const { status } = await health();
        return good(`/api/health answers ${status}`);
      },
    },
    {
      id: "ingress.health",
      description: "the app says that it is well",
      hint: "See the app's log for why",
      needs: ["ingress.answers"],
      async run() {
        const { status, json } = await health();
        if (status === 200) return good("/api/health answers 200");
        const { failing = [] } = HEALTH.safeParse(json).data ?? {};
        return problem(
          `/api/health answers ${status}, failing: ${failing.join(", ") || "it does not say what"}`,
        );
      },
    },
    {
      id: "ingress.direct",
      description: "no redirect and no login page stands before the routes",
      hint: "Set APP_URL to where the redirect leads, and keep login pages away from the routes",
      fatal: true,
      needs: ["ingress.answers"],
      async run() {
        const answers = (await met()).flatMap((route) =>
          [route.good, route.wrong, route.missing].map((answer) => ({ path: route.path, ...answer })),
        );
        const moved = answers.find(({ status }) => status >= 300 && status < 400);
        if (moved) return problem(`${moved.path} answers ${moved.status} to ${moved.location ?? "nowhere"}`);
        const foreign = answers.find(({ json }) => json === undefined);
        if (foreign) return problem(`${foreign.path} answers ${foreign.status} with what is no JSON`);
        return good((await met()).map(({ path }) => path).join(", "));
      },
    },
    {
      id: "ingress.closed",
      description: "the routes refuse a request with a wrong secret, and one without",
      hint: "Whatever stands between Sequin and the app has to pass on the authorization header as it is, and add none",
      needs: ["ingress.direct"],
      async run() {
        const open = (await met()).flatMap(({ path, wrong, missing }) => [
          ...(wrong.status === 401 ? [] : [`${path} answers ${wrong.status} to a wrong secret`]),
          ...(missing.status === 401 ? [] : [`${path} answers ${missing.status} without a secret`]),
        ]);
        return open.length === 0 ? good("401 to both") : problem(open.join("; "));
      },
    },
    {
      id: "ingress.secret",
      description:
        "the app takes the SEQUIN_WEBHOOK_SECRET that is set here (sends an empty batch, triggers nothing)",
      hint: "Set the same SEQUIN_WEBHOOK_SECRET here, where the app runs, and where Sequin runs",
      needs: ["ingress.direct"],
      async run() {
        const refused = (await met()).filter(
          ({ good: { status, json } }) => status !== 200 || !DONE.safeParse(json).success,
        );
        if (refused.length === 0) return good("taken");
        const first = refused[0]?.good.status;
        return problem(
          refused.map(({ path, good: { status } }) => `${path} answers ${status}`).join("; "),
          first === 500 ? "Set what the app's log names where the app runs" : undefined,
        );
      },
    },
  ];
}
