import type { Log } from "@aftercommit/local-shared/log.ts";
import { type Engine, identifier } from "./engine.ts";
import type { Session } from "./session.ts";
import type { SessionClient } from "./session-client.ts";
import type { Turnstile, Waiter } from "./turnstile.ts";

const everyMs = 15_000;
const checkpointBytes = 16 * 1024 * 1024;
const checkpointMs = 5 * 60_000;

/** Does the work of a Postgres server's background processes: CHECKPOINT, and VACUUM ANALYZE of changed tables. */
export class Housekeeping implements Waiter {
  readonly name = "housekeeping";
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #client: SessionClient;
  readonly #turnstile: Turnstile;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #checkpointAt = performance.now();

  constructor(engine: Engine, session: Session, turnstile: Turnstile, log: Log) {
    this.#engine = engine;
    this.#session = session;
    this.#client = session.newClient(0, 0, new Map(), () => {});
    this.#turnstile = turnstile;
    this.#log = log;
    this.#timer = setInterval(() => turnstile.request(this), everyMs).unref();
  }

  enter(): void {
    try {
      // The last client may have left the session with a role that may do neither.
      this.#session.enter(this.#client);
      this.#checkpoint();
      this.#vacuum();
    } catch (error) {
      this.#log(`housekeeping failed: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.#turnstile.release(this);
    }
  }

  /** Ends the housekeeping with a last checkpoint. No client may have the session. */
  finish(): void {
    clearInterval(this.#timer);
    this.#turnstile.release(this);
    this.#session.enter(this.#client);
    this.#engine.query("checkpoint");
  }

  #checkpoint(): void {
    const [[written] = []] = this.#engine.query(
      "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) from pg_control_checkpoint()",
    );
    const bytes = Number(written);
    const due = performance.now() - this.#checkpointAt > checkpointMs && bytes > 64 * 1024;
    if (bytes < checkpointBytes && !due) return;
    const started = performance.now();
    this.#engine.query("checkpoint");
    this.#checkpointAt = performance.now();
    this.#log(
      `checkpoint of ${Math.round(bytes / 1024)} kB in ${Math.round(this.#checkpointAt - started)} ms`,
    );
  }

  /** One table per turn, the one that changed most. The thresholds are autovacuum's defaults. */
  #vacuum(): void {
    // Postgres does not publish the counts of the last second by itself.
    this.#engine.query("select pg_stat_force_next_flush()");
    const [row] = this.#engine.query(
      `select schemaname, relname from pg_stat_user_tables
       where n_dead_tup > 50 + 0.2 * n_live_tup or n_mod_since_analyze > 50 + 0.1 * n_live_tup
       order by n_dead_tup desc limit 1`,
    );
    const [schema, table] = row ?? [];
    if (schema == null || table == null) return;
    this.#engine.query(`vacuum (analyze) ${identifier(schema)}.${identifier(table)}`);
  }
}
