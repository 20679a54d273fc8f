import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { printMigration } from "../../packages/aftercommit/src/migrate/print.ts";
import { declarations, model, TABLES } from "../helpers/migrate/sample.ts";
import { type Cluster, startCluster } from "../helpers/own-cluster.ts";
import { databaseUrl, runOn } from "../helpers/real-postgres.ts";

let cluster: Cluster;
let owner: Client;

beforeAll(async () => {
  cluster = await startCluster();
  await runOn(cluster.url, [
    "create role owner login createrole replication bypassrls",
    "create database owned owner owner",
  ]);
  const url = new URL(databaseUrl(cluster.url, "owned"));
  url.username = "owner";
  await runOn(databaseUrl(cluster.url, "owned"), ["create extension vector"]);
  owner = new Client({ connectionString: url.href });
  await owner.connect();
  await owner.query(TABLES);
});
afterAll(async () => {
  await owner.end();
  await cluster.remove();
});

// Before 16, only a superuser may create a role that replicates.
const isOld = process.env.POSTGRES_VERSION === "15";

it.skipIf(isOld)(
  "a database's owner, who is no superuser, can run the SQL of migrate --print twice",
  async () => {
    const url = databaseUrl(cluster.url, "owned");
    await owner.query(await printMigration({ url, declarations, model }));
    await owner.query(await printMigration({ url, declarations, model }));
    const { rows } = await owner.query(
      `select tableowner, (select rolsuper from pg_roles where rolname = current_user) as "isSuper"
     from pg_tables where tablename = 'post_embeddings'`,
    );
    expect(rows).toEqual([{ tableowner: "aftercommit_tasks", isSuper: false }]);
  },
);
