import { errorFields, errorResponseOf, notification } from "./backend-messages.ts";
import { type Frame, stringAt } from "./frames.ts";
import type { Listeners } from "./listeners.ts";
import type { PreparedStatements } from "./prepared-statements.ts";
import type { SessionClient } from "./session-client.ts";
import type { SessionSettings } from "./session-settings.ts";
import type { Effect } from "./statement-effects.ts";

const confirmedBy: Partial<Record<string, Effect["kind"]>> = {
  LISTEN: "listen",
  UNLISTEN: "unlisten",
  PREPARE: "prepare",
  DEALLOCATE: "deallocate",
  "DEALLOCATE ALL": "deallocate-all",
  "DISCARD ALL": "discard-all",
};

/** Reads Postgres' responses to a client: tracks the session's state, and translates the response for the client. */
export class Answers {
  readonly #statements: PreparedStatements;
  readonly #settings: SessionSettings;
  readonly #listeners: Listeners<SessionClient>;

  constructor(
    statements: PreparedStatements,
    settings: SessionSettings,
    listeners: Listeners<SessionClient>,
  ) {
    this.#statements = statements;
    this.#settings = settings;
    this.#listeners = listeners;
  }

  /** Returns what the client receives. Notifications go to their listeners. */
  settle(client: SessionClient, answer: Frame[]): Buffer[] {
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
