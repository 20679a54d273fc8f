import { configure, tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { posts } from "../../aftercommit.config.ts";
import { accept } from "../../packages/aftercommit/src/inbox/accept.ts";
import { readModelsInUse } from "../../packages/aftercommit/src/models/models.ts";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { startApp } from "../../tests/helpers/browser/production.ts";
import { startTriggerServer } from "../../tests/helpers/trigger-server.ts";
import type { Bench } from "../bench.ts";
import { countRequests } from "./count-requests.ts";
import { productDatabase } from "./product-database.ts";
import { projectOf } from "./project.ts";
import { startProvider } from "./provider.ts";
import type { FreshDatabase } from "./server.ts";
import { SECRET } from "./stack.ts";
import { connectPatiently, insertVectors } from "./vectors.ts";

const POSTS = 10_000;
const RUNS = 1_000;
const PASSWORD = "bench";
const SECRET_KEY = "tr_prod_bench";

/** Nine of ten posts are embedded; the others are pending, and some have failed. */
async function addRows({ client, url }: FreshDatabase): Promise<void> {
  const db = connectPatiently(url);
  await client.query(
    `insert into posts (title, body, author) select 'Post ' || n, repeat('Some words of a body, ' || n || ' of them. ', 40), 'Alice'
     from generate_series(1, $1::int) n`,
    [POSTS],
  );
  await insertVectors(db, {
    embedding: sql`(select array_agg(sin(r.id * n)::real)::vector::halfvec from generate_series(1, 1536) n)`,
    where: sql`r.id % 10 <> 1`,
  });
  await accept(
    db,
    "post",
    Array.from({ length: POSTS / 10 }, (_, n) => ({
      rowId: `${n * 10 + 1}`,
      queue: "batch",
      changedAt: null,
    })),
  );
  await client.query("update aftercommit.pending set error = 'the text was refused' where row_id like '%91'");
  const { active } = await readModelsInUse(db);
  await buildVectorIndex(client, posts.embeddings, active);
  await client.query("vacuum analyze");
}

/**
 * The production build with 10,000 posts and 1,000 runs. No run is executed. `headers` have the page's password;
 * `requests` are those that the app has sent to Trigger.dev, by path.
 */
export async function startAppWithRows({ server, progress }: Bench) {
  const { folder } = await projectOf("product");
  const database = await productDatabase(server);
  progress(`${POSTS} posts and ${RUNS} runs`);
  await addRows(database);
  const trigger = await startTriggerServer(SECRET_KEY);
  configure({ baseURL: trigger.url, accessToken: SECRET_KEY });
  for (let run = 0; run < RUNS; run += 1)
    await tasks.trigger("create-embedding-for-post", {}, { tags: [`post:${POSTS - run}`] });
  const counted = await countRequests(trigger.url);
  const provider = await startProvider(folder, undefined);
  const app = await startApp(folder, {
    DATABASE_URL: database.url,
    SEQUIN_WEBHOOK_SECRET: SECRET,
    TRIGGER_SECRET_KEY: SECRET_KEY,
    TRIGGER_API_URL: counted.url,
    TRIGGER_PROJECT_REF: "proj_bench",
    OPENAI_API_KEY: "bench",
    OPENAI_BASE_URL: `${provider.url}/v1`,
    USER_DELETION_WEBHOOK_URLS: "none",
    DASHBOARD_PASSWORD: PASSWORD,
  });
  return {
    url: app.url,
    headers: { authorization: `Basic ${Buffer.from(`me:${PASSWORD}`).toString("base64")}` },
    requests: counted.requests,
    async stop() {
      await app.stop();
      await provider.stop();
      await counted.close();
      await trigger.close();
      await database.drop();
    },
  };
}
