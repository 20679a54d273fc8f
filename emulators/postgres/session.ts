import { Answers } from "./answers.ts";
import { errorResponse } from "./backend-messages.ts";
import type { Engine } from "./engine.ts";
import { type Frame, frame, stringAt } from "./frames.ts";
import { Listeners } from "./listeners.ts";
import { PreparedStatements } from "./prepared-statements.ts";
import { type SessionClient, sessionClient } from "./session-client.ts";
import { SessionSettings } from "./session-settings.ts";
import { type Effect, effectsOf } from "./statement-effects.ts";

const copyRefusal = (what: string) =>
  errorResponse({
    code: "0A000",
    message: `${what} is not supported by the local Postgres`,
    hint: "Use INSERT, or a real Postgres by DATABASE_URL.",
  });

const notSql = frame("P", "", "!", Buffer.alloc(2));

/**
 * Runs the messages of many clients in the engine's one session. The caller gives it to one client at a time, until
 * that client is idle.
 *
 * Unlike in a Postgres server, all clients share temporary tables, cursors WITH HOLD, session-level advisory locks (a
 * second client gets the lock, too), pg_backend_pid(), and settings that a function changes. statement_timeout and
 * cancel requests have no effect, because a statement cannot be interrupted. SQL text is read as under
 * `standard_conforming_strings = on`.
 */
export class Session {
  readonly #engine: Engine;
  readonly #statements: PreparedStatements;
  readonly #settings: SessionSettings;
  readonly #listeners: Listeners<SessionClient>;
  readonly #answers: Answers;
  #departed: SessionClient[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#statements = new PreparedStatements(engine);
    this.#settings = new SessionSettings(engine);
    this.#listeners = new Listeners(engine);
    this.#answers = new Answers(this.#statements, this.#settings, this.#listeners);
  }

  newClient(
    id: number,
    pid: number,
    startup: ReadonlyMap<string, string>,
    notify: (message: Buffer) => void,
  ): SessionClient {
    return sessionClient({ id, pid, settings: this.#settings.forClient(startup), notify });
  }

  /** Gives the idle session to a client. Throws EngineError if one of its settings is rejected. */
  enter(client: SessionClient): void {
    this.sweep();
    this.#settings.apply(client.settings);
  }

  /** Frees what disconnected clients left behind. The session must be idle. */
  sweep(): void {
    for (const gone of this.#departed.splice(0)) {
      this.#statements.remove(gone.statements);
      this.#listeners.remove(gone);
    }
  }

  /** Takes the session from a client, whatever it was doing. */
  abandon(client: SessionClient): void {
    if (client.batchOpen) {
      // A Sync alone would commit what the batch has done so far.
      this.#engine.send(notSql);
      this.#answers.settle(client, this.#engine.send(frame("S")));
    }
    if (client.status !== "I") this.#answers.settle(client, this.#engine.send(frame("Q", "rollback")));
  }

  /** Call once for a client that has disconnected, after `abandon` if it had the session. */
  depart(client: SessionClient): void {
    this.#departed.push(client);
  }

  isIdle({ status, batchOpen }: SessionClient): boolean {
    return status === "I" && !batchOpen;
  }

  /** Runs one message of the client that has the session. Returns the response. */
  run(client: SessionClient, message: Frame): Buffer[] {
    switch (message.type) {
      case "Q":
        return this.#simpleQuery(client, message.bytes);
      case "P":
        return this.#parse(client, message.bytes);
      case "B":
        return this.#bind(client, message.bytes);
      case "C":
      case "D":
        return this.#closeOrDescribe(client, message);
      default:
        return this.#answers.settle(client, this.#send(client, message.bytes));
    }
  }

  #simpleQuery(client: SessionClient, bytes: Buffer): Buffer[] {
    const sql = stringAt(bytes, 5).value;
    const effects = effectsOf(sql);
    for (const effect of effects) {
      if (effect.kind === "unsupported-copy")
        return this.#refuse(client, frame("Q", "!"), copyRefusal(effect.what));
    }
    this.#statements.drop(client.statements, "");
    this.#expect(client, sql, effects);
    for (const effect of effects) {
      if (effect.kind === "execute" || effect.kind === "deallocate" || effect.kind === "prepare") {
        this.#statements.restore(client.statements, effect.name, client.batchOpen ? "P" : "PQ");
      }
    }
    const rewritten = this.#statements.rewrite(client.statements, sql, effects);
    return this.#answers.settle(
      client,
      this.#send(client, rewritten === sql ? bytes : frame("Q", rewritten)),
    );
  }

  #parse(client: SessionClient, bytes: Buffer): Buffer[] {
    const { value: name, next } = stringAt(bytes, 5);
    const { value: sql, next: rest } = stringAt(bytes, next);
    const effects = effectsOf(sql);
    for (const effect of effects) {
      if (effect.kind === "unsupported-copy") return this.#refuse(client, notSql, copyRefusal(effect.what));
    }
    if (name !== "") this.#statements.restore(client.statements, name, "P");
    const rewritten = this.#statements.rewrite(client.statements, sql, effects);
    const serverName = this.#statements.serverName(client.statements, name);
    const same = serverName === name && rewritten === sql;
    const message = same ? bytes : frame("P", serverName, rewritten, bytes.subarray(rest));
    const answer = this.#send(client, message);
    if (answer.some(({ type }) => type === "1")) {
      this.#statements.add(client.statements, name, { message, sql, effects });
    }
    return this.#answers.settle(client, answer);
  }

  #bind(client: SessionClient, bytes: Buffer): Buffer[] {
    const { value: portal, next } = stringAt(bytes, 5);
    const { value: name, next: rest } = stringAt(bytes, next);
    this.#statements.restore(client.statements, name, "P");
    const prepared = client.statements.byName.get(name);
    if (prepared) this.#expect(client, prepared.sql, prepared.effects);
    const serverName = this.#statements.serverName(client.statements, name);
    const message = serverName === name ? bytes : frame("B", portal, serverName, bytes.subarray(rest));
    return this.#answers.settle(client, this.#send(client, message));
  }

  #closeOrDescribe(client: SessionClient, { type, bytes }: Frame): Buffer[] {
    const kind = bytes.subarray(5, 6);
    const { value: name } = stringAt(bytes, 6);
    if (kind.toString("latin1") !== "S") return this.#answers.settle(client, this.#send(client, bytes));
    if (type === "D") this.#statements.restore(client.statements, name, "P");
    const serverName = this.#statements.serverName(client.statements, name);
    const answer = this.#send(client, frame(type, kind, serverName));
    if (answer.some((frame) => frame.type === "3")) this.#statements.drop(client.statements, name);
    return this.#answers.settle(client, answer);
  }

  /**
   * Makes Postgres fail on text that is not SQL, so that the state of its transaction and batch follows, with our
   * message.
   */
  #refuse(client: SessionClient, message: Buffer, refusal: Buffer): Buffer[] {
    const answer = this.#send(client, message);
    const refused = answer.map((frame) => (frame.type === "E" ? { type: "E", bytes: refusal } : frame));
    return this.#answers.settle(client, refused);
  }

  #expect(client: SessionClient, sql: string, effects: Effect[]): void {
    for (const effect of effects) {
      client.expected.push({ effect, sql });
      if (effect.kind === "setting") {
        client.settingsChanged = true;
        if (effect.name !== null) client.settings.custom.add(effect.name);
      }
    }
  }

  #send(client: SessionClient, bytes: Buffer): Frame[] {
    client.batchOpen = true;
    return this.#engine.send(bytes);
  }
}
