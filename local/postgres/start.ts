import { once } from "node:events";
import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../log.ts";
import { Connection } from "./connection.ts";
import { openDataFolder } from "./data-folder.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Session } from "./session.ts";
import { Turnstile } from "./turnstile.ts";

export type PostgresOptions = {
  /** Null keeps everything in memory. */
  dataDir: string | null;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** How long a client may keep the session in an open transaction without a word; 60,000 by default. */
  idleInTransactionMs?: number;
  /** 256 MiB by default. */
  maxMessageBytes?: number;
  log: Log;
};

export type Postgres = { url: string; port: number; close(): Promise<void> };

/**
 * Starts Postgres 18 with pgvector (PGlite) for any number of clients at once, which share one session by turns.
 * Rejects with FolderInUseError, or with the system's error when the port is taken.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const {
    dataDir,
    host,
    port,
    idleInTransactionMs = 60_000,
    maxMessageBytes = 256 * 1024 * 1024,
    log,
  } = options;
  const data = await openDataFolder(dataDir);
  const { engine } = data;
  const turnstile = new Turnstile(log);
  const session = new Session(engine);
  const connections = new Set<Connection>();
  let lastId = 0;

  const server = createServer((socket) => {
    lastId += 1;
    const connection = new Connection(socket, {
      id: lastId,
      session,
      turnstile,
      idleInTransactionMs,
      maxMessageBytes,
      log,
    });
    connections.add(connection);
    socket.on("close", () => connections.delete(connection));
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    await data.close();
    throw error;
  }
  const housekeeping = new Housekeeping(engine, turnstile, log);
  const address = server.address();
  const boundPort = address !== null && typeof address === "object" ? address.port : port;

  async function shutDown(): Promise<void> {
    housekeeping.stop();
    const closed = once(server, "close");
    server.close();
    // A client that has said goodbye is not told that the server goes: its message may still be in the socket.
    await nextTurn();
    await nextTurn();
    for (const connection of connections) {
      connection.fail({ code: "57P01", message: "terminating connection due to administrator command" });
    }
    await closed;
    engine.query("checkpoint");
    await data.close();
  }
  let closing: Promise<void> | null = null;
  return {
    url: `postgres://postgres:postgres@${host}:${boundPort}/postgres`,
    port: boundPort,
    close: () => {
      closing ??= shutDown();
      return closing;
    },
  };
}
