// `npm run test:postgres`: what depends on the database server, on a real PostgreSQL: the one that TEST_DATABASE_URL
// names, otherwise one that is started for this run, of POSTGRES_VERSION. In front of that, the app and the tasks have
// a PgBouncer in transaction mode. Arguments go to Vitest; `--project pooler` runs only what uses that.
import { startCluster } from "./helpers/own-cluster.ts";
import { startPooler } from "./helpers/start-pooler.ts";
import { POOLED } from "./pooled.ts";

const SUITES = [...POOLED, "tests/postgres/", "emulators/sequin/"];

// Ctrl-C ends the tests; the servers end below.
process.on("SIGINT", () => {});

const cluster = process.env.TEST_DATABASE_URL ? undefined : await startCluster();
const pooler = cluster && (await startPooler(cluster));
if (cluster && pooler) {
  const version = process.env.POSTGRES_VERSION ?? "17";
  console.log(`PostgreSQL ${version} through PgBouncer in transaction mode, Node ${process.version}`);
  process.env.TEST_DATABASE_URL = cluster.url;
  process.env.TEST_POOLER_PORT = String(pooler.port);
}
const args = process.argv.slice(2);
const projects = ["suites", "postgres", ...(pooler ? ["pooler"] : [])].flatMap((name) => ["--project", name]);
process.argv.push(...(args.includes("--project") ? [] : projects), ...(args.length > 0 ? [] : SUITES));
try {
  await import("./run.ts");
} finally {
  pooler?.stop();
  await cluster?.remove();
}
