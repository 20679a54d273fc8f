// The connections of the app and of the tasks, which are those of pools, lead through the PgBouncer at
// TEST_POOLER_PORT. All others are direct, and those of roles that PgBouncer does not know.
import { Pool } from "pg";
import { realPostgres } from "./real-postgres.ts";

type Internals = { options: { connectionString: string }; newClient(pending: unknown): unknown };

const ROLES = new Set(["postgres", "aftercommit_app", "aftercommit_tasks"]);
const server = new URL(realPostgres ?? "").port;
const pools = Pool.prototype as unknown as Internals;
const { newClient } = pools;

pools.newClient = function (this: Internals, pending) {
  const url = new URL(this.options.connectionString);
  if (url.port === server && ROLES.has(url.username)) url.port = process.env.TEST_POOLER_PORT ?? "";
  this.options.connectionString = url.href;
  return newClient.call(this, pending);
};
