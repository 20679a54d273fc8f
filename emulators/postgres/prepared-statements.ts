import { createHash } from "node:crypto";
import { type Engine, identifier } from "./engine.ts";
import { frame } from "./frames.ts";
import type { Effect } from "./statement-effects.ts";

type Prepared = {
  sql: string;
  /** The message that recreates the statement in the session. */
  message: Buffer;
  effects: Effect[];
};

/** One client's prepared statements by its own names; the unnamed one is the empty string. */
export type ClientStatements = { readonly id: number; readonly byName: Map<string, Prepared> };

/**
 * Separates the prepared statements of many clients in the one session. Named ones get a unique name there. The unnamed
 * one, and those that another client's DEALLOCATE ALL or DISCARD ALL removed, are recreated just before they are used.
 */
export class PreparedStatements {
  readonly #engine: Engine;
  readonly #present = new Set<string>();
  #unnamed: { owner: ClientStatements; simpleQueries: number } | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  serverName({ id }: ClientStatements, name: string): string {
    if (name === "") return "";
    const own = `${id}/${name}`;
    return own.length <= 63 ? own : `${id}/${createHash("sha1").update(name, "latin1").digest("hex")}`;
  }

  /** Replaces the session's names in Postgres' messages with the client's. */
  clientWords({ id }: ClientStatements, message: string): string {
    return message.replaceAll(`"${id}/`, '"');
  }

  isPresent(client: ClientStatements, name: string): boolean {
    if (name !== "") return this.#present.has(this.serverName(client, name));
    return this.#unnamed?.owner === client && this.#unnamed.simpleQueries === this.#engine.simpleQueries();
  }

  /** Recreates a statement that the client has and the session has lost. A failure shows when it is used. */
  restore(client: ClientStatements, name: string, messageTypes: "P" | "PQ"): void {
    const prepared = client.byName.get(name);
    if (!prepared || this.isPresent(client, name)) return;
    if (!messageTypes.includes(String.fromCharCode(prepared.message.readUInt8(0)))) return;
    const made = this.#engine.send(prepared.message).some(({ type }) => type === "1" || type === "C");
    if (made) this.#markPresent(client, name);
  }

  add(client: ClientStatements, name: string, prepared: Prepared): void {
    client.byName.set(name, prepared);
    this.#markPresent(client, name);
  }

  drop(client: ClientStatements, name: string): void {
    client.byName.delete(name);
    if (name === "") this.#unnamed = null;
    else this.#present.delete(this.serverName(client, name));
  }

  /** The session has lost every statement, including the other clients'. */
  dropAll(client: ClientStatements): void {
    client.byName.clear();
    this.#present.clear();
    this.#unnamed = null;
  }

  /** Frees a client's statements in the session, which must be idle. */
  remove(client: ClientStatements): void {
    const names = [...client.byName.keys()].filter((name) => name !== "" && this.isPresent(client, name));
    const close = names.map((name) => frame("C", Buffer.from("S"), this.serverName(client, name)));
    for (const message of close) this.#engine.send(message);
    if (close.length > 0) this.#engine.send(frame("S"));
    for (const name of names) this.drop(client, name);
    client.byName.clear();
  }

  /** Puts the session's names into PREPARE, EXECUTE and DEALLOCATE statements, and recreates what they use. */
  rewrite(client: ClientStatements, sql: string, effects: Effect[]): string {
    let text = "";
    let at = 0;
    for (const effect of effects) {
      if (effect.kind !== "prepare" && effect.kind !== "execute" && effect.kind !== "deallocate") continue;
      text += sql.slice(at, effect.start) + identifier(this.serverName(client, effect.name));
      at = effect.end;
    }
    return text + sql.slice(at);
  }

  /** The record of a statement that SQL's PREPARE created. */
  addFromSql(client: ClientStatements, sql: string, effect: Extract<Effect, { kind: "prepare" }>): void {
    const name = identifier(this.serverName(client, effect.name));
    const message = frame("Q", `prepare ${name}${sql.slice(effect.end, effect.statementEnd)}`);
    this.add(client, effect.name, { message, sql, effects: [] });
  }

  #markPresent(client: ClientStatements, name: string): void {
    if (name === "") this.#unnamed = { owner: client, simpleQueries: this.#engine.simpleQueries() };
    else this.#present.add(this.serverName(client, name));
  }
}
