import { setMaxListeners } from "node:events";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Change } from "../capture/change.ts";
import type { Sink } from "../config/load.ts";
import { type Json, writeJson } from "../message/json.ts";
import { backoffMs } from "./backoff.ts";
import { deliver, type Outcome } from "./deliver.ts";
import { Connections } from "./exchange.ts";
import { Held } from "./held.ts";
import type { Ledger } from "./ledger.ts";
import type { Pace } from "./pace.ts";
import { DeliveryQueue, type Entry } from "./queue.ts";
import { describeOutcome } from "./say.ts";

/** Sequin drops larger messages before any sink sees them (message_handler.ex). The size here is an estimate. */
const MAX_MESSAGE_BYTES = 5_000_000;

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
 * Delivers one sink's messages like Sequin's pipeline. It checks for due messages when messages arrive, when one is
 * acknowledged, and every `pollMs`, but not after a failure, unless every worker was busy and one is free now.
 */
export class SinkRunner {
  readonly queue = new DeliveryQueue();
  readonly #options: RunnerOptions;
  readonly #connections: Connections;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #poll: NodeJS.Timeout;
  readonly #stuck = new Held((entry) => {
    this.queue.release(entry);
    this.add(entry);
  });
  #closeBatch: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    // Every running request listens to this signal, and Node.js warns above ten.
    setMaxListeners(0, this.#abort.signal);
    this.#connections = new Connections(options.workers);
    this.#poll = setInterval(() => this.#look(), options.pace.pollMs);
  }

  add(...entries: Entry[]): void {
    for (const entry of entries) this.queue.add(entry);
    this.#look();
  }

  /** Tries every waiting message now, including stuck ones. Returns how many there were. */
  retryNow(): number {
    const woken = this.queue.wakeAll() + this.#stuck.releaseAll();
    this.#look();
    return woken;
  }

  /** Tries one waiting message now. Returns whether it was waiting. */
  retryOne(id: number): boolean {
    const woken = this.queue.wakeOne(id) || this.#stuck.release(id);
    this.#look();
    return woken;
  }

  /** Starts nothing new, and gives running requests a moment to end. */
  async close(graceMs: number): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#closeBatch);
    this.#stuck.forget();
    const timer = setTimeout(() => this.#abort.abort(), graceMs);
    await Promise.allSettled(this.#running);
    clearTimeout(timer);
    this.#connections.close();
  }

  get #free(): boolean {
    return (
      !this.#stopped && this.#options.sink.status === "active" && this.#running.size < this.#options.workers
    );
  }

  /** Sends full batches, and the rest a moment later, with what has arrived by then. */
  #look(): void {
    const { batchSize } = this.#options.sink;
    this.queue.wake(Date.now());
    while (this.#free && this.queue.ready >= batchSize) this.#send();
    if (!this.#free || this.queue.ready === 0) return;
    this.#closeBatch ??= setTimeout(() => {
      this.#closeBatch = undefined;
      if (this.#free) this.#send();
      this.#look();
    }, this.#options.pace.batchTimeoutMs);
  }

  #send(): void {
    const entries = this.queue.take(this.#options.sink.batchSize);
    if (entries.length === 0) return;
    const delivery = this.#run(entries).then((released) => {
      const wasBusy = this.#running.size === this.#options.workers;
      this.#running.delete(delivery);
      if (released || wasBusy) this.#look();
    });
    this.#running.add(delivery);
  }

  /** Resolves with whether messages are finished, so that others of their rows may go. */
  async #run(entries: Entry[]): Promise<boolean> {
    const { sink, pace, log } = this.#options;
    try {
      const loaded = await this.#load(entries);
      if (loaded.length === 0) return true;
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
      return this.#settle(loaded, outcome, Date.now() - startedAt);
    } catch (error) {
      if (this.#abort.signal.aborted) return false;
      // The database is down or a value cannot be read. The message stays and is tried again.
      log(`${sink.name}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      for (const entry of entries) this.queue.postpone(entry, Date.now() + pace.backoffBaseMs);
      setTimeout(() => this.#look(), pace.backoffBaseMs + 1).unref();
      return false;
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
        stuck: false,
      },
    ]);
    log(`${sink.name}: ${change.action} ${change.table_schema}.${change.table_name} discarded, ${answer}`);
  }

  #settle(loaded: Loaded[], outcome: Outcome, tookMs: number): boolean {
    const { sink, pace, ledger, log } = this.#options;
    const now = Date.now();
    const stuck = outcome.stuck !== undefined;
    const result = { httpStatus: outcome.status, answer: outcome.answer, tookMs, stuck };
    let nextTryMs: number | null = null;
    let released = false;
    for (const { entry } of loaded) {
      if (stuck) {
        nextTryMs = pace.stuckMs;
        this.#stuck.hold(entry, nextTryMs);
        // Sequin counts a delivery when it records its failure, so this one is not counted.
        const { id, deliverCount } = entry;
        ledger.record([{ id, status: "pending", deliverCount, notBefore: now + nextTryMs, ...result }]);
        continue;
      }
      const deliverCount = ++entry.deliverCount;
      if (outcome.acknowledged || deliverCount === sink.maxRetryCount) {
        this.queue.release(entry);
        released = true;
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
    return released;
  }
}

function sizeOf(change: Change): number {
  return Buffer.byteLength(change.new_row ?? change.old_row ?? "");
}
