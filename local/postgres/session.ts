import { errorFields, errorResponse, errorResponseOf, notification } from "./backend-messages.ts";
import type { Engine } from "./engine.ts";
import { type Frame, frame, stringAt } from "./frames.ts";
import { type ListenChange, Listeners } from "./listeners.ts";
import { type ClientStatements, PreparedStatements } from "./prepared-statements.ts";
import { type ClientSettings, SessionSettings } from "./session-settings.ts";
import { type Effect, effectsOf } from "./statement-effects.ts";

/** What the session keeps for one connection. */
export type SessionClient = {
  readonly pid: number;
  readonly statements: ClientStatements;
  readonly settings: ClientSettings;
  /** As in ReadyForQuery: I idle, T in a transaction, E in a failed one. */
  status: string;
  /** Messages of the extended protocol have run that no Sync has closed. */
  batchOpen: boolean;
  /** Effects that a CommandComplete will confirm, with the text they are in. */
  expected: { effect: Effect; sql: string }[];
  listenChanges: ListenChange[];
  /** Those before a ROLLBACK, which may have been one to a savepoint. */
  suspendedChanges: ListenChange[];
  settingsChanged: boolean;
  notify(message: Buffer): void;
};

const confirmedBy: Partial<Record<string, Effect["kind"]>> = {
  LISTEN: "listen",
  UNLISTEN: "unlisten",
  PREPARE: "prepare",
  DEALLOCATE: "deallocate",
  "DEALLOCATE ALL": "deallocate-all",
  "DISCARD ALL": "discard-all",
};

const copyRefusal = (what: string) =>
  errorResponse({
    code: "0A000",
    message: `${what} is not supported by the local Postgres`,
    hint: "Use INSERT, or a real Postgres by DATABASE_URL.",
  });

const notSql = frame("P", "", "!", Buffer.alloc(2));

/**
 * Runs the messages of many clients in the one session of the engine. The caller gives it to one client at a time,
 * until that client is idle.
 *
 * Shared by all clients, unlike in a Postgres server: temporary tables, cursors WITH HOLD, session-level advisory
 * locks (a second client gets the lock too), pg_backend_pid(), and settings that a function changes by itself.
 */
export class Session {
  readonly #engine: Engine;
  readonly #statements: PreparedStatements;
  readonly #settings: SessionSettings;
  readonly #listeners: Listeners<SessionClient>;
  #departed: SessionClient[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#statements = new PreparedStatements(engine);
    this.#settings = new SessionSettings(engine);
    this.#listeners = new Listeners(engine);
  }

  newClient(
    id: number,
    pid: number,
    startup: ReadonlyMap<string, string>,
    notify: (message: Buffer) => void,
  ): SessionClient {
    return {
      pid,
      statements: { id, byName: new Map() },
      settings: this.#settings.forClient(startup),
      status: "I",
      batchOpen: false,
      expected: [],
      listenChanges: [],
      suspendedChanges: [],
      settingsChanged: false,
      notify,
    };
  }

  /** Gives the idle session to a client. Throws EngineError when one of its settings is refused. */
  enter(client: SessionClient): void {
    this.sweep();
    this.#settings.apply(client.settings);
  }

  /** Frees what gone clients left behind; the session must be idle. */
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
      this.#settle(client, this.#engine.send(frame("S")));
    }
    if (client.status !== "I") this.#settle(client, this.#engine.send(frame("Q", "rollback")));
  }

  /** To be called once for a client that is gone, after `abandon` if it had the session. */
  depart(client: SessionClient): void {
    this.#departed.push(client);
  }

  isIdle({ status, batchOpen }: SessionClient): boolean {
    return status === "I" && !batchOpen;
  }

  /** Runs one message of the client that has the session; returns what it is answered. */
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
        return this.#settle(client, this.#send(client, message.bytes));
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
    return this.#settle(client, this.#send(client, rewritten === sql ? bytes : frame("Q", rewritten)));
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
    return this.#settle(client, answer);
  }

  #bind(client: SessionClient, bytes: Buffer): Buffer[] {
    const { value: portal, next } = stringAt(bytes, 5);
    const { value: name, next: rest } = stringAt(bytes, next);
    this.#statements.restore(client.statements, name, "P");
    const prepared = client.statements.byName.get(name);
    if (prepared) this.#expect(client, prepared.sql, prepared.effects);
    const serverName = this.#statements.serverName(client.statements, name);
    const message = serverName === name ? bytes : frame("B", portal, serverName, bytes.subarray(rest));
    return this.#settle(client, this.#send(client, message));
  }

  #closeOrDescribe(client: SessionClient, { type, bytes }: Frame): Buffer[] {
    const kind = bytes.subarray(5, 6);
    const { value: name } = stringAt(bytes, 6);
    if (kind.toString("latin1") !== "S") return this.#settle(client, this.#send(client, bytes));
    if (type === "D") this.#statements.restore(client.statements, name, "P");
    const serverName = this.#statements.serverName(client.statements, name);
    const answer = this.#send(client, frame(type, kind, serverName));
    if (answer.some((frame) => frame.type === "3")) this.#statements.drop(client.statements, name);
    return this.#settle(client, answer);
  }

  /** Lets Postgres fail on text that is no SQL, so that its transaction and batch state follow, in our words. */
  #refuse(client: SessionClient, message: Buffer, refusal: Buffer): Buffer[] {
    const answer = this.#send(client, message);
    const refused = answer.map((frame) => (frame.type === "E" ? { type: "E", bytes: refusal } : frame));
    return this.#settle(client, refused);
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

  #settle(client: SessionClient, answer: Frame[]): Buffer[] {
    const out: Buffer[] = [];
    const notifications: Buffer[] = [];
    for (const { type, bytes } of answer) {
      if (type === "A") notifications.push(bytes);
      else if (type === "E") {
        client.expected = [];
        if (client.status === "I") client.listenChanges = [];
        out.push(this.#inClientWords(client, bytes));
      } else if (type === "C") {
        this.#confirm(client, stringAt(bytes, 5).value);
        out.push(bytes);
      } else if (type === "Z") {
        client.batchOpen = false;
        client.expected = [];
        client.status = bytes.toString("latin1", 5, 6);
        const suspended = client.suspendedChanges.splice(0);
        if (client.status === "T") client.listenChanges.unshift(...suspended);
        if (client.status === "I") out.push(...this.#afterCommit(client, notifications));
        out.push(bytes);
      } else out.push(bytes);
    }
    return out;
  }

  #confirm(client: SessionClient, tag: string): void {
    if (tag === "ROLLBACK") client.suspendedChanges.push(...client.listenChanges.splice(0));
    const kind = confirmedBy[tag];
    const index = kind ? client.expected.findIndex(({ effect }) => effect.kind === kind) : -1;
    const [confirmed] = index < 0 ? [] : client.expected.splice(index, 1);
    if (!confirmed) return;
    const { effect, sql } = confirmed;
    if (effect.kind === "listen" || effect.kind === "unlisten") client.listenChanges.push(effect);
    if (effect.kind === "prepare") this.#statements.addFromSql(client.statements, sql, effect);
    if (effect.kind === "deallocate") this.#statements.drop(client.statements, effect.name);
    if (effect.kind === "deallocate-all" || effect.kind === "discard-all") {
      this.#statements.dropAll(client.statements);
    }
    if (effect.kind === "discard-all") {
      client.settingsChanged = true;
      client.listenChanges.push({ kind: "unlisten", channel: null });
    }
  }

  #afterCommit(client: SessionClient, notifications: Buffer[]): Buffer[] {
    const out: Buffer[] = [];
    if (client.listenChanges.length > 0) this.#listeners.commit(client, client.listenChanges.splice(0));
    if (client.settingsChanged) out.push(...this.#settings.refresh(client.settings));
    client.settingsChanged = false;
    for (const bytes of notifications) {
      const { value: channel, next } = stringAt(bytes, 9);
      const message = notification(client.pid, channel, stringAt(bytes, next).value);
      for (const listener of this.#listeners.of(channel)) {
        if (listener === client) out.push(message);
        else listener.notify(message);
      }
    }
    return out;
  }

  #inClientWords(client: SessionClient, bytes: Buffer): Buffer {
    const fields = errorFields(bytes);
    const words = this.#statements.clientWords(client.statements, fields.get("M") ?? "");
    return words === fields.get("M") ? bytes : errorResponseOf(fields.set("M", words));
  }
}
