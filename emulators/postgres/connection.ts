import type { Socket } from "node:net";
import type { Log } from "@aftercommit/local-shared/log.ts";
import {
  authenticationOk,
  backendKeyData,
  type ErrorFields,
  errorResponse,
  negotiateProtocolVersion,
  parameterStatus,
  readyForQuery,
} from "./backend-messages.ts";
import { EngineError } from "./engine.ts";
import { type Frame, FrameReader, ProtocolError } from "./frames.ts";
import type { Session } from "./session.ts";
import type { SessionClient } from "./session-client.ts";
import { readStartPacket, startupSettings } from "./start-packet.ts";
import type { Turnstile, Waiter } from "./turnstile.ts";

export type ConnectionOptions = {
  id: number;
  session: Session;
  turnstile: Turnstile;
  idleInTransactionMs: number;
  maxMessageBytes: number;
  log: Log;
};

const clientMessages = new Set("QPBDECSHFXdcf");
/** Messages after which a client waits for a response. Earlier messages are kept until one arrives. */
const runPoints = new Set("QSHFX");
const inboxHighWater = 16 * 1024 * 1024;
const longTurnMs = 10;
/** What pg_backend_pid() returns in PGlite: all clients share its one session. */
const PID = 42;

/** One client's socket: framing, the start of the session, and its turns in the shared one. */
export class Connection implements Waiter {
  readonly name: string;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader: FrameReader;
  #client: SessionClient | null = null;
  #inbox: Frame[] = [];
  #inboxBytes = 0;
  #runnable = 0;
  #idle: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.name = `client ${options.id}`;
    this.#socket = socket;
    this.#options = options;
    this.#reader = new FrameReader(options.maxMessageBytes);
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("drain", () => this.#work());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#end());
  }

  enter(): void {
    if (!this.#client) return;
    try {
      this.#options.session.enter(this.#client);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.fail({ code: error.code, message: error.message });
      return;
    }
    this.#work();
  }

  /** Sends the error and closes the connection. */
  fail(error: Omit<ErrorFields, "severity">): void {
    this.#write(errorResponse({ severity: "FATAL", ...error }));
    this.#socket.end(() => this.#socket.destroy());
    this.#end();
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#reader.push(chunk);
    try {
      while (!this.#client && !this.#ended) {
        const packet = this.#reader.nextStartPacket();
        if (!packet) return;
        this.#start(packet);
      }
      for (let next = this.#reader.nextFrame(); next; next = this.#reader.nextFrame()) this.#accept(next);
      this.#work();
    } catch (error) {
      // Framing and string errors are the client's fault; anything else is ours.
      if (!(error instanceof ProtocolError)) throw error;
      this.fail({ code: "08P01", message: error.message });
    }
  }

  #start(packet: Buffer): void {
    const { id, session } = this.#options;
    const start = readStartPacket(packet);
    if (start.kind === "encryption") this.#write(Buffer.from("N"));
    else if (start.kind === "cancel") this.#close();
    else if (start.kind === "unsupported") {
      this.fail({
        code: "0A000",
        message: `unsupported frontend protocol ${start.version}: server supports 3.0`,
      });
    } else {
      const database = start.parameters.get("database") ?? start.parameters.get("user");
      if (database !== "postgres") {
        this.fail({ code: "3D000", message: `database "${database}" does not exist` });
        return;
      }
      const extensions = [...start.parameters.keys()].filter((name) => name.startsWith("_pq_."));
      if (start.minor > 0 || extensions.length > 0) this.#write(negotiateProtocolVersion(extensions));
      const settings = startupSettings(start.parameters);
      this.#client = session.newClient(id, PID, settings, (message) => this.#write(message));
      this.#write(
        Buffer.concat([
          authenticationOk(),
          ...[...this.#client.settings.reported].map(([name, value]) => parameterStatus(name, value)),
          backendKeyData(PID, (Math.random() * 2 ** 31) | 0),
          readyForQuery("I"),
        ]),
      );
    }
  }

  #accept(next: Frame): void {
    if (!clientMessages.has(next.type)) {
      throw new ProtocolError(`invalid frontend message type ${next.bytes.readUInt8(0)}`);
    }
    // Postgres ignores stray COPY data, and nothing here ever requests any.
    if ("dcf".includes(next.type)) return;
    this.#inbox.push(next);
    this.#inboxBytes += next.bytes.length;
    if (runPoints.has(next.type)) this.#runnable += 1;
    if (this.#inboxBytes > inboxHighWater && this.#runnable > 0) this.#socket.pause();
  }

  /** Runs what has arrived, while it is this client's turn. */
  #work(): void {
    const client = this.#client;
    const { session, turnstile } = this.#options;
    if (!client || this.#ended) return;
    if (!turnstile.holds(this)) {
      if (this.#runnable > 0 && !this.#socket.writableNeedDrain) turnstile.request(this);
      return;
    }
    this.#stopIdleTimer();
    const started = performance.now();
    const answers: Buffer[] = [];
    let turnOver = false;
    while (this.#runnable > 0 && !turnOver) {
      const next = this.#inbox.shift();
      if (!next) break;
      this.#inboxBytes -= next.bytes.length;
      if (runPoints.has(next.type)) this.#runnable -= 1;
      if (next.type === "X") {
        this.#write(Buffer.concat(answers));
        this.#close();
        return;
      }
      answers.push(...session.run(client, next));
      const long = performance.now() - started > longTurnMs || this.#socket.writableNeedDrain;
      turnOver = session.isIdle(client) && (turnstile.contended || long);
    }
    this.#write(Buffer.concat(answers));
    if (this.#inboxBytes <= inboxHighWater) this.#socket.resume();
    if (!session.isIdle(client)) {
      this.#startIdleTimer();
      return;
    }
    turnstile.release(this);
    if (this.#runnable > 0) setImmediate(() => this.#work());
  }

  #startIdleTimer(): void {
    this.#idle = setTimeout(() => {
      this.#options.log(
        `${this.name} ended: idle in transaction for ${this.#options.idleInTransactionMs} ms`,
      );
      this.fail({ code: "25P03", message: "terminating connection due to idle-in-transaction timeout" });
    }, this.#options.idleInTransactionMs).unref();
  }

  #stopIdleTimer(): void {
    if (this.#idle) clearTimeout(this.#idle);
    this.#idle = null;
  }

  #write(bytes: Buffer): void {
    if (bytes.length > 0 && this.#socket.writable) this.#socket.write(bytes);
  }

  #close(): void {
    this.#socket.end(() => this.#socket.destroy());
    this.#end();
  }

  /** Leaves the session as if this client had never existed. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopIdleTimer();
    this.#inbox = [];
    this.#runnable = 0;
    const { session, turnstile } = this.#options;
    const holding = turnstile.holds(this);
    if (this.#client && holding) session.abandon(this.#client);
    if (this.#client) session.depart(this.#client);
    if (holding) session.sweep();
    turnstile.release(this);
  }
}
