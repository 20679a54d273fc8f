import type { SQL } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { APIError } from "openai";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import type { Provider } from "../../../packages/aftercommit/src/declare/provider.ts";
import { embedLease } from "../../../packages/aftercommit/src/embeddings/embed-lease.ts";
import type { Lease, Leased } from "../../../packages/aftercommit/src/inbox/entry.ts";
import { leaseRow } from "../../../packages/aftercommit/src/inbox/lease.ts";
import type { EmbeddingSource } from "../../../packages/aftercommit/src/source.ts";
import { nextLease, provider, sourceEmbeddedBy } from "./notes.ts";

/**
 * Where a worker stops until it may continue: before it reads the models, reads the rows, asks the provider, or writes.
 */
export type Gate = "models" | "read" | "ask" | "write";
/** `realtime`: the run of one edit. `batch`: a run of the drain. */
export type Lane = "realtime" | "batch";

const dialect = new PgDialect();

function gateBefore(query: SQL): Gate | undefined {
  const text = dialect.sqlToQuery(query).sql;
  if (text.includes("pg_current_snapshot")) return "read";
  return text.includes("from aftercommit.models") ? "models" : undefined;
}

type Options = {
  db: Database;
  source: EmbeddingSource;
  gates: ReadonlySet<Gate>;
  onAsk: (ask: string) => void;
};

/** The real work of a lease, which stops at each gate. The caller decides what happens in between. */
export class GatedWorker {
  /** The gate where it stops now; undefined while it has no lease. */
  at: Gate | undefined;
  lane: Lane = "batch";
  token: string | undefined;
  entries: readonly Leased[] = [];
  /** The gates that it has passed with this lease. */
  passed: readonly string[] = [];
  /** The provider rejects the next text. */
  isRefused = false;
  #open: () => void = () => {};
  #arrived: () => void = () => {};
  #failure: unknown;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  #stop(gate: Gate): Promise<void> {
    if (!this.#options.gates.has(gate)) return Promise.resolve();
    this.at = gate;
    return new Promise((resolve) => {
      this.#open = resolve;
      this.#arrived();
    });
  }

  get #gatedDb(): Database {
    const stop = (gate: Gate) => this.#stop(gate);
    return new Proxy(this.#options.db, {
      get(db, name) {
        if (name === "execute")
          return async (query: SQL) => {
            const gate = gateBefore(query);
            if (gate) await stop(gate);
            return db.execute(query);
          };
        if (name === "transaction")
          return async (work: Parameters<Database["transaction"]>[0]) => {
            // The words are written in one step with the read before them.
            if (!new Error().stack?.includes("write-words.ts")) await stop("write");
            return db.transaction(work);
          };
        return Reflect.get(db, name);
      },
    });
  }

  get #provider(): Provider {
    return provider(async (text, model) => {
      // embedInputs sends this to find out whether a text is at fault.
      if (text === "ok") return;
      await this.#stop("ask");
      if (this.isRefused) {
        this.isRefused = false;
        throw APIError.generate(400, { error: { message: `refused: ${text}` } }, undefined, new Headers());
      }
      this.#options.onAsk(`${text} by ${model}`);
    });
  }

  async #run(lease: Lease): Promise<void> {
    const source = sourceEmbeddedBy(this.#provider, this.#options.source);
    const isBatch = this.lane === "batch";
    const worker = { db: this.#gatedDb, source, priority: !isBatch, builds: isBatch };
    await embedLease(worker, lease);
  }

  async #lease(rowIds: readonly string[]): Promise<Lease | undefined> {
    const { db, source } = this.#options;
    if (this.lane === "batch") return nextLease(db, source);
    for (const rowId of rowIds) {
      const lease = await leaseRow(db, source.name, rowId);
      if (lease.entries.length > 0) return lease;
    }
    return undefined;
  }

  /** Leases what it can, and goes to its first gate. False if nothing can be leased. */
  async start(lane: Lane, rowIds: readonly string[]): Promise<boolean> {
    this.lane = lane;
    const lease = await this.#lease(rowIds);
    if (!lease) return false;
    this.token = lease.token;
    this.entries = lease.entries.toSorted((one, other) => (one.rowId < other.rowId ? -1 : 1));
    const arrived = this.#arrival();
    void this.#run(lease)
      .catch((error: unknown) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#end();
        this.#arrived();
      });
    await arrived;
    this.#rethrow();
    return true;
  }

  /** Continues to the next gate, or to its end. */
  async step(): Promise<void> {
    const arrived = this.#arrival();
    this.passed = [...this.passed, this.isRefused ? "refusal" : (this.at ?? "")];
    this.#open();
    await arrived;
    this.#rethrow();
  }

  /** Does nothing more, like a killed process. */
  crash(): void {
    this.#end();
  }

  #end(): void {
    this.at = undefined;
    this.token = undefined;
    this.entries = [];
    this.passed = [];
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  #rethrow(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }
}
