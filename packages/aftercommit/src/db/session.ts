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

/** Gives a role these settings, so that its sessions have them behind a connection pooler as well. */
export const roleSettingsSql = ({ role, database }: { role: string; database: string }): string[] =>
  settings(STATEMENT_MS).map(
    ([name, value]) =>
      `alter role ${quotedColumn(role)} in database ${quotedColumn(database)} set ${name} = '${value}';`,
  );

/** A connection pooler shares its sessions, and what is done needs its own, or a role with settings. */
export class PoolerError extends ConnectionError {
  override readonly name = "PoolerError";
}

/** Whether a connection has its session for itself. A pooler invents the ids that it reports. */
export async function hasOwnSession(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return "processID" in client && client.processID === rows[0]?.pid;
}

/** What a role lacks. Its timeouts may be others. */
async function missingSettings(client: ClientBase): Promise<string[]> {
  const wanted = new Map(settings(0));
  const { rows } = await client.query<{ name: string; value: string; role: string; database: string }>(
    `select name, setting as value, current_user as role, current_database() as database
     from pg_settings where name = any($1)`,
    [[...wanted.keys()]],
  );
  const isWrong = ({ name, value }: { name: string; value: string }) =>
    name.endsWith("timeout") ? value === "0" : value !== wanted.get(name);
  const wrong = rows.filter(isWrong).map(({ name }) => name);
  const [row] = rows;
  if (!row) return [];
  return roleSettingsSql(row).filter((statement) => wrong.some((name) => statement.includes(` ${name} = `)));
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
