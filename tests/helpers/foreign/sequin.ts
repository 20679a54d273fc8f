import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { Client } from "pg";
import { startSequin } from "../../../emulators/sequin/start.ts";
import type { Declaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { completeSequinYaml } from "../../../packages/aftercommit/src/sequin-config/complete.ts";
import { serve } from "../serve.ts";

/** Removes the emulator's schema, with its functions and their triggers. */
async function removeSchema(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("drop schema sequin_local cascade");
  await client.end();
}

/** The Sequin emulator with the sequin.yaml that `npx aftercommit sequin` writes, delivering to these routes. */
export async function startSequinFor(
  declarations: readonly Declaration[],
  {
    databaseUrl,
    secret,
    routes,
  }: { databaseUrl: string; secret: string; routes: (request: Request) => Promise<Response> },
) {
  const app = new Hono().all("*", (context) => routes(context.req.raw));
  const http = await serve([app]);
  const folder = await mkdtemp(join(tmpdir(), "foreign-sequin-"));
  const configPath = join(folder, "sequin.yaml");
  await writeFile(configPath, completeSequinYaml(undefined, declarations).text);
  const sequin = await startSequin({
    databaseUrl,
    configPath,
    env: { DATABASE_URL: databaseUrl, APP_URL: http.url, SEQUIN_WEBHOOK_SECRET: secret },
    log: () => {},
    pace: { pollMs: 50, quickRetryMs: 20, backoffBaseMs: 50 },
  });
  async function end(): Promise<void> {
    await sequin.close();
    await removeSchema(databaseUrl);
    await http.close();
    await rm(folder, { recursive: true });
  }
  let ending: Promise<void> | undefined;
  return {
    /** How many messages are not acknowledged. */
    waiting: async () =>
      (await sequin.counts()).reduce((sum, { status, count }) => sum + (status === "pending" ? count : 0), 0),
    close(): Promise<void> {
      ending ??= end();
      return ending;
    },
  };
}
