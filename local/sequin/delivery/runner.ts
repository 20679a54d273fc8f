import { setMaxListeners } from "node:events";
import { cpus } from "node:os";
import type { Log } from "../../log.ts";
import type { Change } from "../capture/change.ts";
import type { Sink } from "../config/load.ts";
import { type Json, writeJson } from "../message/json.ts";
import { backoffMs } from "./backoff.ts";
import { deliver, type Outcome } from "./deliver.ts";
import { Connections } from "./exchange.ts";
import type { Ledger } from "./ledger.ts";
import { DeliveryQueue, type Entry } from "./queue.ts";
import { describeOutcome } from "./say.ts";

/** Times in milliseconds; the defaults are Sequin's own. Tests shorten them. */
export type Pace = {
  backoffBaseMs: number;
  quickRetryMs: number;
  requestTimeoutMs: number;
  batchTimeoutMs: number;
};

export const SEQUIN_PACE: Pace = {
  backoffBaseMs: 1000,
  quickRetryMs: 500,
  requestTimeoutMs: 30_000,
  batchTimeoutMs: 5,
};

/** Sequin drops larger messages before any sink sees them (message_handler.ex); the size is ours to estimate. */
export const MAX_MESSAGE_BYTES = 5_000_000;

/** min(2 × CPUs, 80), or DEFAULT_WORKERS_PER_SINK in Sequin (sink_pipeline.ex). */
export const DEFAULT_WORKERS = Math.min(2 * cpus().length, 80);

export type RunnerOptions = {
  sink: Sink;
  workers: number;
  pace: Pace;
  ledger: Ledger;
  log: Log;
  loadChanges: (ids: number[]) => Promise<Map<number, Change>>;
  buildMessage: (change: Change) => Promise<Json>;
};

type Loaded = { entry: Entry; change: Change };

/**
 * Delivers one sink's messages. Failed ones are tried again exactly when their backoff ends; Sequin itself
 * looks only every 10 s on a quiet sink.
 */
export class SinkRunner {
  readonly queue = new DeliveryQueue();
  readonly #options: RunnerOptions;
  readonly #connections: Connections;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    // Every request under way listens to this signal; ten is only where Node begins to warn.
    setMaxListeners(0, this.#abort.signal);
    this.#connections = new Connections(options.workers);
  }

  add(entry: Entry): void {
    this.queue.add(entry);
    this.#wakeIn(this.#options.sink.batchSize > 1 ? this.#options.pace.batchTimeoutMs : 0);
  }

  /** Tries every waiting message now. Returns how many there were. */
  retryNow(): number {
    const woken = this.queue.wakeAll();
    this.#wakeIn(0);
    return woken;
  }

  /** Tries one waiting message now. Returns whether it was waiting. */
  retryOne(id: number): boolean {
    const woken = this.queue.wakeOne(id);
    if (woken) this.#wakeIn(0);
    return woken;
  }

  /** Starts nothing new, and gives what is under way a moment to end. */
  async close(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const timer = setTimeout(() => this.#abort.abort(), graceMs);
    await Promise.allSettled(this.#running);
    clearTimeout(timer);
    this.#connections.close();
  }

  #wakeIn(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.#start(), delayMs);
  }

  #start(): void {
    const { sink, workers } = this.#options;
    if (this.#stopped || sink.status !== "active") return;
    while (this.#running.size < workers) {
      const entries = this.queue.take(sink.batchSize, Date.now());
      if (entries.length === 0) break;
      const delivery = this.#run(entries).finally(() => {
        this.#running.delete(delivery);
        this.#start();
      });
      this.#running.add(delivery);
    }
    const dueAt = this.queue.nextDueAt;
    if (dueAt !== undefined && this.#running.size < workers) this.#wakeIn(Math.max(1, dueAt - Date.now()));
  }

  async #run(entries: Entry[]): Promise<void> {
    const { sink, pace, log } = this.#options;
    try {
      const loaded = await this.#load(entries);
      if (loaded.length === 0) return;
      const messages = await Promise.all(loaded.map(({ change }) => this.#options.buildMessage(change)));
      const body = writeJson(sink.batch ? { data: messages } : (messages[0] ?? null));
      const startedAt = Date.now();
      const outcome = await deliver(
        body,
        {
          url: sink.url,
          headers: sink.headers,
          timeoutMs: pace.requestTimeoutMs,
          quickRetryMs: pace.quickRetryMs,
          signal: this.#abort.signal,
        },
        this.#connections,
      );
      this.#settle(loaded, outcome, Date.now() - startedAt);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      // The database is away or a value cannot be read; the message stays and is tried again.
      log(`${sink.name}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      for (const entry of entries) this.queue.postpone(entry, Date.now() + pace.backoffBaseMs);
    }
  }

  async #load(entries: Entry[]): Promise<Loaded[]> {
    const changes = await this.#options.loadChanges(entries.map((entry) => entry.id));
    const loaded: Loaded[] = [];
    for (const entry of entries) {
      const change = changes.get(entry.id);
      if (!change) this.queue.release(entry);
      else if (sizeOf(change) > MAX_MESSAGE_BYTES) {
        this.#discard(
          { entry, change },
          `larger than ${MAX_MESSAGE_BYTES} bytes: Sequin drops such a message silently`,
        );
      } else loaded.push({ entry, change });
    }
    return loaded;
  }

  #discard({ entry, change }: Loaded, answer: string): void {
    const { sink, ledger, log } = this.#options;
    this.queue.release(entry);
    ledger.record([
      {
        id: entry.id,
        deliverCount: entry.deliverCount,
        status: "discarded",
        notBefore: null,
        httpStatus: null,
        answer,
        tookMs: 0,
      },
    ]);
    log(`${sink.name}: ${change.action} ${change.table_schema}.${change.table_name} discarded, ${answer}`);
  }

  #settle(loaded: Loaded[], outcome: Outcome, tookMs: number): void {
    const { sink, pace, ledger, log } = this.#options;
    const now = Date.now();
    const result = { httpStatus: outcome.status, answer: outcome.answer, tookMs };
    let nextTryMs: number | null = null;
    for (const { entry } of loaded) {
      const deliverCount = ++entry.deliverCount;
      if (outcome.acknowledged || deliverCount === sink.maxRetryCount) {
        this.queue.release(entry);
        const status = outcome.acknowledged ? "delivered" : "discarded";
        ledger.record([{ id: entry.id, status, deliverCount, notBefore: null, ...result }]);
        continue;
      }
      nextTryMs = backoffMs(deliverCount, pace.backoffBaseMs);
      this.queue.postpone(entry, now + nextTryMs);
      ledger.record([
        { id: entry.id, status: "pending", deliverCount, notBefore: now + nextTryMs, ...result },
      ]);
    }
    log(`${sink.name}: ${describeOutcome(loaded, outcome, tookMs, nextTryMs)}`);
  }
}

function sizeOf(change: Change): number {
  return Buffer.byteLength(change.new_row ?? change.old_row ?? "");
}
