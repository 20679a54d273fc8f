import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { until } from "../until.ts";
import type { Project } from "./project.ts";

/** Where the examples are. */
export const FOLDER = join(import.meta.dirname, "../../../examples");

export type Example = {
  /** Starts what Sequin delivers to. */
  server: (project: Project) => Promise<void>;
  variables?: () => Record<string, string>;
  check: (project: Project) => Promise<void>;
};

// An example that has no server is served by this one.
const SERVER = `
import { serve as listen } from "@hono/node-server";
import { declarationsOf } from "aftercommit";
import { searchRoute, serveAll } from "aftercommit/next";
import * as config from "./aftercommit.config";
const [deliver, search] = [serveAll(declarationsOf(config)), searchRoute(config)];
const fetch = (request) => (request.method === "POST" ? deliver : search)(request);
listen({ fetch, port: Number(process.env.PORT) });
console.log("serves");
`;

async function startHono(project: Project): Promise<void> {
  await project.start(/^/, "npx", ["tsx", "server.ts"]);
}

async function startOwnServer(project: Project): Promise<void> {
  await writeFile(join(project.folder, "server.ts"), SERVER);
  await startHono(project);
}

const startNext = (project: Project) => project.start(/Ready in/, "npx", ["next", "dev"]);

/** Inserts rows, and waits until a page that searches has what it is to find. */
const finds = (insert: string, path: string, expected: string) => async (project: Project) => {
  await project.query(insert);
  const search = async () => {
    const answer = await fetch(`http://127.0.0.1:${project.ports.app}${path}`).catch(() => undefined);
    return (await answer?.text())?.includes(expected);
  };
  await until(search, { everyMs: 500, progress: () => project.output, what: `${expected} at ${path}` });
};

const GARDEN = "'A secret garden', 'Nobody knows where the roses grow.'";
const QUERY = "q=secret+roses";

/** A vector by the words of a text, as wide as Voyage's. */
function vectorOf(text: string): number[] {
  const vector = Array.from({ length: 1_024 }, () => 0);
  for (const word of text.toLowerCase().match(/\w+/g) ?? [])
    vector[[...word].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1_024] = 1;
  return vector;
}

// https://docs.voyageai.com/reference/embeddings-api
const voyageRequest = z.object({ input: z.array(z.string()), model: z.literal("voyage-3.5") });
const voyage = createServer(async (request, response) => {
  const { input } = voyageRequest.parse(await json(request));
  const data = input.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ object: "list", data, model: "voyage-3.5", usage: { total_tokens: 9 } }));
});

// https://docs.stripe.com/api/customers/list and /delete
const customers = new Map([
  ["cus_1", "ann@example.com"],
  ["cus_2", "ann@example.com"],
  ["cus_3", "bob@example.com"],
]);
const stripe = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stripe");
  const id = pathname.slice("/v1/customers/".length);
  const ofEmail = [...customers].filter(([, email]) => email === searchParams.get("email"));
  const answer =
    request.method === "DELETE"
      ? { id, object: "customer", deleted: customers.delete(id) }
      : { object: "list", data: ofEmail.map(([id, email]) => ({ id, email })), has_more: false };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(answer));
});

for (const server of [voyage, stripe]) server.listen(0, "127.0.0.1").unref();

const addressOf = (server: typeof stripe) => {
  const address = server.address();
  return address && typeof address === "object" ? `http://127.0.0.1:${address.port}` : "";
};

async function deletesCustomers(project: Project): Promise<void> {
  await project.query("insert into users (email) values ('ann@example.com'), ('bob@example.com')");
  await project.query("delete from users where email = 'ann@example.com'");
  const completed = async () => {
    const rows = await project.query("select from aftercommit.deletions where outcome = 'completed'");
    return rows.length === 1;
  };
  await until(completed, { everyMs: 500, progress: () => project.output, what: "the clean-up" });
  if ([...customers.keys()].join() !== "cus_3") throw new Error(`left: ${[...customers.keys()]}`);
}

export const EXAMPLES: Readonly<Record<string, Example>> = {
  "second-table": {
    server: startOwnServer,
    check: finds(
      `with post as (insert into posts (title, body) values ('Soup', 'Soup.') returning id)
       insert into comments (post_id, body) select id, 'Nobody knows where the roses grow.' from post`,
      `/api/search?${QUERY}&in=comments`,
      "roses grow",
    ),
  },
  "next-drizzle": {
    server: startNext,
    check: finds(
      `insert into articles (title, body, published_at) values (${GARDEN}, now()), ('A draft', 'Secret roses.', null)`,
      `/?${QUERY}`,
      "A secret garden",
    ),
  },
  prisma: {
    server: startOwnServer,
    check: finds(
      `insert into "User" values ('u1', 'ann@example.com');
       insert into "Post" ("id", "title", "content", "published", "authorId") values ('p1', ${GARDEN}, true, 'u1')`,
      `/api/search?${QUERY}`,
      "A secret garden",
    ),
  },
  hono: {
    server: startHono,
    check: finds(
      `insert into posts (title, body) values (${GARDEN})`,
      `/api/search?${QUERY}`,
      "A secret garden",
    ),
  },
  voyage: {
    server: startOwnServer,
    variables: () => ({ VOYAGE_API_KEY: "pa-1", VOYAGE_BASE_URL: addressOf(voyage), EMBEDDING_MODEL: "" }),
    check: finds(
      `insert into posts (title, body) values (${GARDEN})`,
      `/api/search?${QUERY}`,
      "A secret garden",
    ),
  },
  stripe: {
    server: startOwnServer,
    variables: () => ({
      STRIPE_SECRET_KEY: "sk_test_1",
      STRIPE_API_URL: addressOf(stripe),
      USER_DELETION_WEBHOOK_URLS: "none",
    }),
    check: deletesCustomers,
  },
};
