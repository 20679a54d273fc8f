import { Socket } from "node:net";
import { Pool, type PoolClient } from "pg";
import { prepareSession } from "./session.ts";
import { connectionOf, TlsClient } from "./tls.ts";

const CONNECT_MS = 5_000;
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
export function boundedPool(url: string, { poolSize, statementTimeoutMs }: Bounds): Pool {
  const pool = new Pool({
    ...connectionOf(url),
    Client: TlsClient,
    max: poolSize,
    application_name: "aftercommit",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    stream: () => socketThatGivesUp(statementTimeoutMs && statementTimeoutMs + GRACE_MS),
    onConnect: (client) => prepareSession(client, statementTimeoutMs),
  });
  // Without a listener, an idle connection that breaks ends the process.
  pool.on("error", (error) =>
    console.warn(JSON.stringify({ event: "database.idle_connection_lost", error: error.message })),
  );
  takeBackLostClients(pool);
  return pool;
}
