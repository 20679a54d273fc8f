import { parameterStatus } from "./backend-messages.ts";
import { type Engine, identifier, literal } from "./engine.ts";

// Source: PostgreSQL documentation, "Asynchronous Operations": the parameters that a server reports.
const reportedNames = [
  "application_name",
  "client_encoding",
  "DateStyle",
  "default_transaction_read_only",
  "in_hot_standby",
  "integer_datetimes",
  "IntervalStyle",
  "is_superuser",
  "scram_iterations",
  "search_path",
  "server_encoding",
  "server_version",
  "session_authorization",
  "standard_conforming_strings",
  "TimeZone",
];

/** What one client has set in its session, by name in lowercase. */
export type ClientSettings = {
  /** Requested when it connected; RESET returns to these. */
  readonly startup: ReadonlyMap<string, string>;
  current: Map<string, string>;
  /** Names such as `app.user`, which pg_settings does not list. */
  readonly custom: Set<string>;
  reported: Map<string, string>;
};

/** Moves settings (SET, set_config, startup parameters) out of and into the one session as clients take turns. */
export class SessionSettings {
  readonly #engine: Engine;
  #applied = new Map<string, string>();
  readonly #defaults: ReadonlyMap<string, string>;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#defaults = this.#reported();
  }

  forClient(startup: ReadonlyMap<string, string>): ClientSettings {
    const names = new Map(reportedNames.map((name) => [name.toLowerCase(), name]));
    const reported = new Map(this.#defaults);
    for (const [name, value] of startup) {
      const known = names.get(name);
      if (known) reported.set(known, value);
    }
    return { startup, current: new Map(startup), custom: new Set(), reported };
  }

  /** Applies a client's settings to the session. If Postgres rejects one, it throws, and the session has none. */
  apply({ current }: ClientSettings): void {
    if (current.size === 0 && this.#applied.size === 0) return;
    const changes: string[] = [];
    for (const name of this.#applied.keys()) {
      if (!current.has(name)) changes.push(`reset ${settingName(name)}`);
    }
    for (const [name, value] of current) {
      if (this.#applied.get(name) !== value) changes.push(setConfig(name, value));
    }
    if (changes.length === 0) return;
    try {
      this.#engine.query(changes.join(";"));
      this.#applied = new Map(current);
    } catch (error) {
      this.#engine.query([...this.#applied.keys()].map((name) => `reset ${settingName(name)}`).join(";"));
      this.#applied = new Map();
      throw error;
    }
  }

  /** Reads what the client's last unit has set. Returns the ParameterStatus messages to send. */
  refresh(client: ClientSettings): Buffer[] {
    const custom = [...client.custom].map(
      (name) => `union all select ${literal(name)}, nullif(current_setting(${literal(name)}, true), '')`,
    );
    const rows = this.#engine.query(
      `select lower(name), setting from pg_settings where source = 'session'
       union all select 'role', nullif(current_setting('role'), 'none')
       union all select 'session_authorization', nullif(session_user::text, 'postgres') ${custom.join(" ")}`,
    );
    const current = new Map<string, string>();
    for (const [name, value] of rows) if (name && value != null) current.set(name, value);
    this.#applied = new Map(current);
    for (const [name, value] of client.startup) if (!current.has(name)) current.set(name, value);
    client.current = current;
    this.apply(client);

    const reported = this.#reported();
    const changed = [...reported].filter(([name, value]) => client.reported.get(name) !== value);
    client.reported = reported;
    return changed.map(([name, value]) => parameterStatus(name, value));
  }

  #reported(): Map<string, string> {
    const values = reportedNames.map((name) => `(${literal(name)})`).join();
    const rows = this.#engine.query(
      `select name, case name when 'session_authorization' then session_user
         else current_setting(name, true) end from (values ${values}) as reported(name)`,
    );
    return new Map(rows.flatMap(([name, value]) => (name && value != null ? [[name, value]] : [])));
  }
}

function settingName(name: string): string {
  return name.split(".").map(identifier).join(".");
}

function setConfig(name: string, value: string): string {
  return `select set_config(${literal(name)}, ${literal(value)}, false)`;
}
