import { once } from "node:events";
import { createServer } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../log.ts";
import { Connection } from "./connection.ts";
import { openEngine } from "./engine.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Session } from "./session.ts";
import { Turnstile } from "./turnstile.ts";

export type ServerOptions = {
  /** The folder of the database itself; null keeps everything in memory. */
  data: string | null;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** How long a client may keep the session in an open transaction without a word. */
  idleInTransactionMs: number;
  maxMessageBytes: number;
  log: Log;
};

export type Server = { port: number; close(): Promise<void> };

/** Serves the database on a port. A client's turn that breaks the engine throws EngineCrash out of an event. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { data, host, port, idleInTransactionMs, maxMessageBytes, log } = options;
  const engine = await openEngine(data);
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
    await engine.close();
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
