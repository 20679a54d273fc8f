import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { serialize } from "pg-protocol";
import { until } from "../../../tests/helpers/until.ts";
import { type Frame, FrameReader } from "../frames.ts";

/** A client that sends single messages, including those that `pg` would not send. */
export class WireClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly #reader = new FrameReader(2 ** 30);
  #read = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      this.#reader.push(chunk);
      for (let next = this.#reader.nextFrame(); next; next = this.#reader.nextFrame()) this.frames.push(next);
    });
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new WireClient(socket);
  }

  static async start(port: number, parameters: Record<string, string> = {}): Promise<WireClient> {
    const client = await WireClient.open(port);
    client.send(serialize.startup({ user: "postgres", database: "postgres", ...parameters }));
    await client.until("Z");
    return client;
  }

  send(...messages: Buffer[]): void {
    this.socket.write(Buffer.concat(messages));
  }

  /** The messages since the last call, up to the next one of a type. */
  async until(type: string): Promise<Frame[]> {
    const end = await until(() => this.#find(type) + 1, { what: `message ${type}` });
    const from = this.#read;
    this.#read = end;
    return this.frames.slice(from, end);
  }

  /** The types of the messages up to the next one of a type, as one word. */
  async typesUntil(type: string): Promise<string> {
    return (await this.until(type)).map((frame) => frame.type).join("");
  }

  async query(sql: string): Promise<Frame[]> {
    this.send(serialize.query(sql));
    return this.until("Z");
  }

  /** One statement by the extended protocol. */
  async extendedQuery(text: string, values: string[] = []): Promise<Frame[]> {
    this.send(serialize.parse({ text }), serialize.bind({ values }), serialize.execute({}), serialize.sync());
    return this.until("Z");
  }

  #find(type: string): number {
    return this.frames.findIndex((frame, index) => index >= this.#read && frame.type === type);
  }
}

/** The text of a message, with zeros as bars. */
export function textOf(frames: Frame[], type: string): string {
  return frames
    .filter((frame) => frame.type === type)
    .map(({ bytes }) => bytes.toString("utf8", 5).replaceAll("\0", "|"))
    .join(" ");
}
