import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { Connection } from "./connection.ts";
import type { Engine } from "./engine.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Session } from "./session.ts";
import { Turnstile } from "./turnstile.ts";

export type ServerOptions = {
  /** Opens the engine once the port is ours. */
  open(): Promise<Engine>;
  host: string;
  /** 0 uses any free port. */
  port: number;
  /** How long a client may stay idle in an open transaction. */
  idleInTransactionMs: number;
  maxMessageBytes: number;
  log: Log;
};

export type Server = { port: number; close(): Promise<void> };

/**
 * Serves a database on a port. Clients that connect before it is open wait. If a client's turn crashes the engine, an
 * event throws EngineCrash.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { open, host, port, idleInTransactionMs, maxMessageBytes, log } = options;
  const early: Socket[] = [];
  let admit = (socket: Socket): void => {
    early.push(socket.on("error", () => socket.destroy()));
  };
  const server = createServer({ pauseOnConnect: true }, (socket) => admit(socket));
  server.listen(port, host);
  await once(server, "listening");
  const engine = await open();

  const turnstile = new Turnstile(log);
  const session = new Session(engine);
  const connections = new Set<Connection>();
  let lastId = 0;
  admit = (socket) => {
    if (socket.destroyed) return;
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
    socket.resume();
  };
  early.forEach(admit);
  const housekeeping = new Housekeeping(engine, session, turnstile, log);
  const address = server.address();
  const boundPort = address !== null && typeof address === "object" ? address.port : port;

  async function shutDown(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    // A client that has disconnected is not told that the server stops: its message may still be in the socket.
    await nextTurn();
    await nextTurn();
    for (const connection of connections) {
      connection.fail({ code: "57P01", message: "terminating connection due to administrator command" });
    }
    await closed;
    housekeeping.finish();
    await engine.close();
  }
  let closing: Promise<void> | null = null;
  return {
    port: boundPort,
    close: () => {
      closing ??= shutDown();
      return closing;
    },
  };
}
