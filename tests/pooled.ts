/**
 * The files and folders of the tests that depend on the database server, and use it as the app and the tasks do. Where
 * there is a pooler, their connections lead through it. `npm run test:postgres` runs them on a real PostgreSQL.
 */
export const POOLED = [
  "app/",
  ...[
    "catalog/",
    "db/",
    "deletions/",
    "embeddings/",
    "inbox/",
    "ingress/",
    "migrate/",
    "providers/ask-provider.test.ts",
    "providers/rate-limiter.test.ts",
    "reembed/",
    "routes/",
    "search/",
    "status/",
    "triggers/",
  ].map((path) => `packages/aftercommit/src/${path}`),
  "proxy.test.ts",
  "tests/commands/",
  "tests/deletions/",
  "tests/foreign/",
  "tests/pooler/",
];
