import { Socket } from "node:net";
import { Pool, type PoolClient } from "pg";
import { connectionOf, TlsClient } from "./tls.ts";

const CONNECT_MS = 5_000;
const LOCK_MS = 5_000;
// The server ends a statement first, and the connection stays usable.
const GRACE_MS = 2_000;

export type Bounds = {
  /** The most connections of this process. */
  poolSize: number;
  /** How long a statement may take; 0 means no limit, for example to build an index. */
  statementTimeoutMs: number;
};

/**
 * A socket that closes after some time without traffic: the server hangs, or the address belongs to another server now.
 */
function socketThatGivesUp(afterMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(afterMs, () =>
    socket.destroy(new Error(`the database was silent for ${afterMs} ms`)),
  );
}

// Not startup parameters, because connection poolers reject unknown ones. Every session prints texts and keys the same
// way, or the same row would get another hash. Rows hidden by a policy are an error, not deleted rows. An acceptance is
// flushed before it is acknowledged (rules 1 and 3).
const settings = ({ statementTimeoutMs }: Bounds) =>
  `set statement_timeout = ${statementTimeoutMs}; set lock_timeout = ${LOCK_MS};
   set idle_in_transaction_session_timeout = ${statementTimeoutMs};
   set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
   set bytea_output = 'hex'; set row_security = off; set synchronous_commit = on`;

/**
 * Releases each client whose connection ends while it is checked out. drizzle never releases the one on which `begin`
 * failed, and without an error listener on the client, pg ends the process.
 */
function takeBackLostClients(pool: Pool): void {
  const taken = new Set<PoolClient>();
  pool.on("acquire", (client) => taken.add(client));
  pool.on("release", (_, client) => taken.delete(client));
  pool.on("connect", (client) => {
    // The current or the next query reports the error.
    client.on("error", () => {});
    client.once("end", () => {
      if (!taken.has(client)) return;
      client.release(true);
      client.release = () => {};
    });
  });
}

/** A pool in which nothing hangs: no connect, no statement, and no silent connection. */
export function boundedPool(url: string, bounds: Bounds): Pool {
  const { poolSize, statementTimeoutMs } = bounds;
  const pool = new Pool({
    ...connectionOf(url),
    Client: TlsClient,
    max: poolSize,
    application_name: "aftercommit",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    stream: () => socketThatGivesUp(statementTimeoutMs && statementTimeoutMs + GRACE_MS),
    onConnect: (client) => client.query(settings(bounds)),
  });
  // Without a listener, an idle connection that breaks ends the process.
  pool.on("error", (error) =>
    console.warn(JSON.stringify({ event: "database.idle_connection_lost", error: error.message })),
  );
  takeBackLostClients(pool);
  return pool;
}
