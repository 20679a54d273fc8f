import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { escapeIdentifier, type Pool } from "pg";

export type Result = {
  id: number;
  status: "pending" | "delivered" | "discarded";
  deliverCount: number;
  /** Unix milliseconds of the next try, null for none. */
  notBefore: number | null;
  httpStatus: number | null;
  answer: string;
  tookMs: number;
  /** Kept in flight although the request has ended. */
  stuck: boolean;
};

/**
 * Records the results of deliveries, batching those that arrive while a statement runs. If a crash loses a result, its
 * message is delivered again, never skipped.
 */
export class Ledger {
  #queued: Result[] = [];
  #writing: Promise<void> | null = null;
  #closing = false;
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #log: Log;

  constructor(pool: Pool, schema: string, log: Log) {
    this.#pool = pool;
    this.#schema = schema;
    this.#log = log;
  }

  record(results: Result[]): void {
    this.#queued.push(...results);
    this.#writing ??= this.#drain();
  }

  /** Resolves when everything recorded so far is stored. Gives up while the database is down. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#writing;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queued.length > 0) {
        const batch = this.#queued.splice(0, 1000);
        while (!(await this.#write(batch)) && !this.#closing) await wait(1000);
      }
    } finally {
      this.#writing = null;
    }
  }

  async #write(batch: Result[]): Promise<boolean> {
    const latest = [...new Map(batch.map((result) => [result.id, result])).values()];
    try {
      await this.#pool.query(
        `update ${escapeIdentifier(this.#schema)}.delivery d
         set status = r.status, deliver_count = r.deliver_count, http_status = r.http_status, answer = r.answer,
           took_ms = r.took_ms, stuck = r.stuck, not_before = to_timestamp(r.not_before / 1000.0), updated_at = clock_timestamp()
         from unnest($1::bigint[], $2::text[], $3::integer[], $4::float8[], $5::integer[], $6::text[], $7::integer[],
             $8::boolean[])
           as r(id, status, deliver_count, not_before, http_status, answer, took_ms, stuck)
         where d.id = r.id`,
        [
          latest.map((r) => r.id),
          latest.map((r) => r.status),
          latest.map((r) => r.deliverCount),
          latest.map((r) => r.notBefore),
          latest.map((r) => r.httpStatus),
          latest.map((r) => r.answer.replaceAll("\0", "")),
          latest.map((r) => r.tookMs),
          latest.map((r) => r.stuck),
        ],
      );
      return true;
    } catch (error) {
      this.#log(
        `cannot store ${latest.length} results, trying again: ${error instanceof Error ? error.message : error}`,
      );
      return false;
    }
  }
}
