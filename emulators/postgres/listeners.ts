import { type Engine, identifier } from "./engine.ts";

/** Null, as the channel of an UNLISTEN, means all. */
export type ListenChange = { kind: "listen"; channel: string } | { kind: "unlisten"; channel: string | null };

/** Which client listens on which channel. The one session listens on all of them. */
export class Listeners<Client> {
  readonly #engine: Engine;
  readonly #channels = new Map<Client, Set<string>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  of(channel: string): Client[] {
    return [...this.#channels].flatMap(([client, channels]) => (channels.has(channel) ? [client] : []));
  }

  /**
   * Applies a client's committed LISTEN and UNLISTEN statements, and updates the session. A channel that the session
   * has and nobody claims belongs to the client (the text of its statements did not show it).
   */
  commit(client: Client, changes: ListenChange[]): void {
    const heard = this.#heard();
    const channels = this.#channels.get(client) ?? new Set();
    this.#channels.set(client, channels);
    for (const { kind, channel } of changes) {
      if (kind === "listen" && heard.has(channel)) channels.add(channel);
      if (kind === "unlisten" && channel === null) channels.clear();
      if (kind === "unlisten" && channel !== null) channels.delete(channel);
    }
    const claimed = this.#claimed();
    for (const channel of heard) if (!claimed.has(channel)) channels.add(channel);
    this.#run(
      [...claimed].filter((channel) => !heard.has(channel)).map((channel) => `listen ${identifier(channel)}`),
    );
  }

  /** Forgets a client that has disconnected, and the channels that only it listened on. */
  remove(client: Client): void {
    if (!this.#channels.delete(client)) return;
    const claimed = this.#claimed();
    const unclaimed = [...this.#heard()].filter((channel) => !claimed.has(channel));
    this.#run(unclaimed.map((channel) => `unlisten ${identifier(channel)}`));
  }

  #claimed(): Set<string> {
    return new Set([...this.#channels.values()].flatMap((channels) => [...channels]));
  }

  #heard(): Set<string> {
    return new Set(
      this.#engine.query("select pg_listening_channels()").flatMap(([channel]) => channel ?? []),
    );
  }

  #run(commands: string[]): void {
    if (commands.length > 0) this.#engine.query(commands.join(";"));
  }
}
