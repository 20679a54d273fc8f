import { rm } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
import { cloneProject } from "../helpers/clone.ts";
import { pgDump } from "../helpers/foreign/pg-dump.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { applyMigrations } from "../helpers/postgres-template.ts";
import { choosePorts, DevStack } from "../helpers/stack/dev-stack.ts";
import { everyPostEmbedded } from "../helpers/stack/embeddings.ts";
import { FOREIGN } from "../helpers/stack/foreign-database.ts";
import { until } from "../helpers/until.ts";

let cluster: Cluster;
let client: Client;
let folder: string;
let stack: DevStack;

beforeAll(async () => {
  cluster = await startCluster();
  await applyMigrations(cluster.url);
  client = new Client({ connectionString: cluster.url });
  await client.connect();
  folder = cloneProject();
});
afterAll(async () => {
  await stack?.interrupt();
  await client.end();
  await cluster.remove();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const values = async (query: string): Promise<unknown[]> =>
  (await client.query({ text: query, rowMode: "array" })).rows.flat();
const slots = () => values("select slot_name from pg_replication_slots");

/** Everything in the database but its rows, and what belongs to the server. */
const schema = async () => ({
  dump: await pgDump(cluster.url, ["--schema-only"]),
  slots: await slots(),
  publications: await values("select pubname from pg_publication"),
  roles: await values("select rolname from pg_roles order by 1"),
});

const insertPost = (title: string) =>
  client.query("insert into posts (title, body, author) values ($1, 'A body', 'Alice')", [title]);
const started = () => stack.output.match(/"event":"capture.started"/g)?.length ?? 0;

async function start(): Promise<void> {
  stack = new DevStack(folder, await choosePorts(), {
    ...FOREIGN,
    DATABASE_URL: cluster.url,
    LOCAL_CAPTURE: "on",
    SMTP_URL: "smtp://mail.invalid",
    MAIL_FROM: "app@example.com",
  });
  await stack.ready();
}

it("npm run dev captures another database with LOCAL_CAPTURE=on, and leaves it as it was", async () => {
  const before = await schema();
  expect(before.dump).toContain("CREATE TABLE public.posts");
  await start();
  onTestFailed(() => console.log(stack.output));
  expect(await values("select temporary from pg_replication_slots")).toEqual([true]);
  await insertPost("Before");
  await everyPostEmbedded(stack);

  const { pid } = await stack.find(/aftercommit\.ts capture/);
  process.kill(pid, "SIGKILL");
  await until(() => started() === 2, { what: "the next capture", progress: () => stack.progress() });
  expect(stack.output).toContain('"event":"capture.publication_dropped"');
  await insertPost("After");
  await everyPostEmbedded(stack);

  await stack.interrupt();
  expect(await schema()).toEqual(before);
});

it("a killed npm run dev leaves no slot, and the next one removes its publication", async () => {
  const before = await schema();
  await start();
  onTestFailed(() => console.log(stack.output));
  for (const { pid, command } of stack.processes())
    if (command.includes("dev/dev.ts")) process.kill(pid, "SIGKILL");
  await until(async () => (await slots()).length === 0, { what: "the end of the slot" });
  expect(await values("select count(*)::int from pg_publication")).toEqual([1]);
  await start();
  expect(stack.output).toContain('"event":"capture.publication_dropped"');
  await stack.interrupt();
  expect(await schema()).toEqual(before);
});
