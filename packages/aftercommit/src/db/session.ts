import type { ClientBase } from "pg";
import { ConnectionError } from "./connection-error.ts";
import { quotedColumn } from "./identifiers.ts";

/** The longest that a statement of the app and the tasks takes. */
export const STATEMENT_MS = 10_000;
const LOCK_MS = 5_000;

/**
 * The settings of every session, whose statements end after `statementTimeoutMs`; 0 means never. All sessions print
 * texts and keys the same way, or a row would get another hash. Rows hidden by a policy are an error, not deleted rows.
 * An acceptance is flushed before it is acknowledged (rules 1 and 3).
 */
const settings = (statementTimeoutMs: number): [name: string, value: string][] => [
  ["statement_timeout", String(statementTimeoutMs)],
  ["lock_timeout", String(LOCK_MS)],
  ["idle_in_transaction_session_timeout", String(statementTimeoutMs)],
  ["TimeZone", "UTC"],
  ["DateStyle", "ISO, YMD"],
  ["IntervalStyle", "postgres"],
  ["extra_float_digits", "1"],
  ["bytea_output", "hex"],
  ["row_security", "off"],
  ["synchronous_commit", "on"],
];

type Role = { role: string; database: string };

const statementFor =
  ({ role, database }: Role) =>
  ([name, value]: [name: string, value: string]) =>
    `alter role ${quotedColumn(role)} in database ${quotedColumn(database)} set ${name} = '${value}';`;

/** Gives a role these settings, so that its sessions have them behind a connection pooler as well. */
export const roleSettingsSql = (role: Role): string[] => settings(STATEMENT_MS).map(statementFor(role));

/** A connection pooler shares its sessions, and what is done needs its own, or a role with settings. */
export class PoolerError extends ConnectionError {
  override readonly name = "PoolerError";
}

/** Whether a connection has its session for itself. A pooler invents the ids that it reports. */
export async function hasOwnSession(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return "processID" in client && client.processID === rows[0]?.pid;
}

/** The statements that give a role what it lacks. Its timeouts may be others. */
async function missingSettings(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<Role & { name: string; value: string }>(
    `select name, setting as value, current_user as role, current_database() as database
     from pg_settings where name = any($1)`,
    [settings(STATEMENT_MS).map(([name]) => name)],
  );
  const present = new Map(rows.map(({ name, value }) => [name, value]));
  return settings(STATEMENT_MS)
    .filter(([name, value]) =>
      name.endsWith("timeout") ? present.get(name) === "0" : present.get(name) !== value,
    )
    .map(statementFor(rows[0] as Role));
}

/**
 * Gives a session its settings. A pooler in transaction mode would lose them, or give them to others: behind one, the
 * role must have them. Rejects with PoolerError, which has the statements, if it has not.
 */
export async function prepareSession(client: ClientBase, statementTimeoutMs: number): Promise<void> {
  if (await hasOwnSession(client)) {
    await client.query(
      settings(statementTimeoutMs)
        .map(([name, value]) => `set ${name} = '${value}'`)
        .join("; "),
    );
    return;
  }
  const missing = await missingSettings(client);
  if (missing.length > 0)
    throw new PoolerError(
      "A connection pooler shares its sessions, and the role does not give them the settings that they need",
      `${missing.join(" ").slice(0, -1)}. Then let the pooler connect again (PgBouncer: reconnect)`,
    );
}
