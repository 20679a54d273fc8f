import { connect, type Database } from "../db/client.ts";
import { directUrl } from "../db/database.ts";
import { required } from "../env/env.ts";

// A window of a large table may take longer than a request of the app.
const STATEMENT_MS = 120_000;

/** The database, and the address for replication, which no pooler answers. */
export const connectForCapture = (): { db: Database; url: string } => ({
  db: connect(required("DATABASE_URL"), { statementTimeoutMs: STATEMENT_MS }),
  url: directUrl(),
});
