// `npm run test:postgres`: every suite that uses a database, on a real PostgreSQL: the one that TEST_DATABASE_URL
// names, otherwise one that is started for this run.
import { startCluster } from "./postgres/own-cluster.ts";

const SUITES = [
  "tests/postgres/",
  "tests/inbox/",
  "tests/tasks/",
  "tests/deletions/",
  "tests/foreign/",
  "tests/pages/",
  "tests/routes/",
  "emulators/sequin/",
];

// Ctrl-C ends the tests; the server ends below.
process.on("SIGINT", () => {});

const cluster = process.env.TEST_DATABASE_URL ? undefined : await startCluster();
process.env.TEST_DATABASE_URL ??= cluster?.url;
const projects = ["suites", "postgres"].flatMap((name) => ["--project", name]);
const files = process.argv.slice(2);
process.argv.push(...projects, ...(files.length > 0 ? [] : SUITES));
try {
  await import("./run.ts");
} finally {
  await cluster?.remove();
}
