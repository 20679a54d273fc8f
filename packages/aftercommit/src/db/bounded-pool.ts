import { Socket } from "node:net";
import { Pool, type PoolClient } from "pg";

const CONNECT_MS = 5_000;
const LOCK_MS = 5_000;
// The server ends a statement first, and its connection stays good.
const GRACE_MS = 2_000;

export type Bounds = {
  /** How many connections the process has at most. */
  poolSize: number;
  /** How long a statement may take; 0 for as long as it needs, such as the build of an index. */
  statementTimeoutMs: number;
};

/** A socket that is given up when nothing came or went for some time: the server hangs, or is another one by now. */
function socketThatGivesUp(afterMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(afterMs, () =>
    socket.destroy(new Error(`the database was silent for ${afterMs} ms`)),
  );
}

// Not among the start-up parameters: connection poolers refuse those that they do not know. What decides how a text or a
// key is printed is the same everywhere, or the same row would have another hash. Rows that a policy hides are an error,
// and not deleted ones; an acceptance is flushed before it is acknowledged (rules 1 and 3).
const settings = ({ statementTimeoutMs }: Bounds) =>
  `set statement_timeout = ${statementTimeoutMs}; set lock_timeout = ${LOCK_MS};
   set idle_in_transaction_session_timeout = ${statementTimeoutMs};
   set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
   set bytea_output = 'hex'; set row_security = off; set synchronous_commit = on`;

/**
 * Takes back each client whose connection ended while somebody had it. drizzle never releases the one on which `begin`
 * failed, and pg ends the process at an error of a client that nobody listens to.
 */
function takeBackLostClients(pool: Pool): void {
  const taken = new Set<PoolClient>();
  pool.on("acquire", (client) => taken.add(client));
  pool.on("release", (_, client) => taken.delete(client));
  pool.on("connect", (client) => {
    // Whoever has it hears it from the query under way, or from the next one.
    client.on("error", () => {});
    client.once("end", () => {
      if (!taken.has(client)) return;
      client.release(true);
      client.release = () => {};
    });
  });
}

/** A pool in which nothing hangs: not connecting, no statement, and no connection that has gone silent. */
export function boundedPool(url: string, bounds: Bounds): Pool {
  const { poolSize, statementTimeoutMs } = bounds;
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    application_name: "aftercommit",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    stream: () => socketThatGivesUp(statementTimeoutMs && statementTimeoutMs + GRACE_MS),
    onConnect: (client) => client.query(settings(bounds)),
  });
  // Without a listener, a connection that breaks while idle ends the process.
  pool.on("error", (error) =>
    console.warn(JSON.stringify({ event: "database.idle_connection_lost", error: error.message })),
  );
  takeBackLostClients(pool);
  return pool;
}
