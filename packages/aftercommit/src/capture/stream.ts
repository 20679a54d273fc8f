import { once } from "node:events";
import { LogicalReplicationService, type Pgoutput } from "pg-logical-replication";
import { connectionOf } from "../db/tls.ts";
import type { Feed } from "./feed.ts";
import type { Lag } from "./lag.ts";
import { lsnOf, lsnText, rowChangeOf, type Transaction, transactionOf } from "./row-changes.ts";
import type { Read } from "./store.ts";
import { TextPlugin } from "./text-plugin.ts";

// A larger transaction is stored in parts, so that memory stays bounded.
const MOST_CHANGES = 1_000;
const STATUS_MS = 10_000;
// The server answers each status. Twice its default wal_sender_timeout.
const SILENCE_MS = 120_000;

type Stream = {
  url: string;
  feed: Feed;
  /** The position that the slot has confirmed. */
  confirmed: string;
  store(read: Read, stopped: AbortSignal): Promise<void>;
  lag: Lag;
  stopped: AbortSignal;
  onStart(): void;
};

/**
 * Reads a slot over one connection, and confirms each position when everything before it is stored. Resolves when
 * `stopped`; rejects when the connection ends. The next one starts at the confirmed position.
 */
export async function streamChanges(stream: Stream): Promise<void> {
  const { url, feed, store, lag, stopped } = stream;
  const settings = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1";
  const connection = { ...connectionOf(url), application_name: "aftercommit: capture", keepAlive: true };
  // The service would confirm what it has received, before it is stored: only this function confirms.
  const service = new LogicalReplicationService(
    { ...connection, options: settings },
    { acknowledge: { auto: false, timeoutSeconds: 0 }, flowControl: { enabled: true } },
  );
  const plugin = new TextPlugin(feed);
  const end = new AbortController();
  const fail = (error: unknown) => end.abort(error);
  let [handled, heardAt] = [0, Date.now()];
  let transaction: Transaction | undefined;
  let index = 0;
  let read: Read = { changes: [], truncated: [] };
  let confirmed = lsnOf(stream.confirmed);
  /** The end of the last transaction that was read whole, and when it was committed. */
  let [complete, completedAt] = [confirmed, Date.now()];

  // The service adds 1. A commit that begins at the end of the last one would be skipped after a restart.
  const confirm = (ping = false) => service.acknowledge(lsnText(confirmed - 1n), ping);

  async function flush(): Promise<void> {
    const part = read;
    read = { changes: [], truncated: [] };
    if (part.changes.length > 0 || part.truncated.length > 0) await store(part, stopped);
    if (complete <= confirmed) return;
    confirmed = complete;
    lag.stored(completedAt);
    await confirm();
  }

  function take(message: Pgoutput.Message): void {
    switch (message.tag) {
      case "begin":
        transaction = transactionOf(message);
        index = 0;
        return;
      case "commit":
        if (transaction) completedAt = Date.parse(transaction.committedAt);
        transaction = undefined;
        complete = lsnOf(message.commitEndLsn ?? "0/0");
        return;
      case "truncate":
        index += 1;
        read.truncated.push(...message.relations);
        return;
      case "insert":
      case "update":
      case "delete":
        if (!transaction) throw new Error(`pgoutput sent ${message.tag} outside a transaction`);
        read.changes.push(rowChangeOf(message, transaction, index));
        index += 1;
    }
  }

  async function handle(message: Pgoutput.Message): Promise<void> {
    if (end.signal.aborted) return;
    take(message);
    const isLast = plugin.read === handled + 1;
    if (read.changes.length >= MOST_CHANGES || (isLast && !transaction)) await flush();
    handled += 1;
  }

  // The service waits for each message before it gives the next one, and reads nothing more meanwhile.
  let working = Promise.resolve();
  service.on("data", (_: string, message: Pgoutput.Message) => {
    heardAt = Date.now();
    working = handle(message);
    return working.catch(fail);
  });
  service.on("heartbeat", (lsn: string, _: number, shouldRespond: boolean) => {
    heardAt = Date.now();
    const isIdle = !transaction && plugin.read === handled;
    // Everything before this position is stored, or of no declared table.
    if (isIdle) lag.stored(heardAt);
    if (isIdle && lsnOf(lsn) > confirmed) confirmed = lsnOf(lsn);
    else if (!shouldRespond) return;
    confirm().catch(fail);
  });
  service.on("error", fail);
  service.on("start", stream.onStart);
  const status = setInterval(() => {
    if (plugin.read === handled && Date.now() - heardAt > SILENCE_MS)
      fail(new Error(`the database was silent for ${SILENCE_MS} ms`));
    else confirm(true).catch(fail);
  }, STATUS_MS);

  service.subscribe(plugin, feed.slot).then(() => fail(new Error("the database ended the connection")), fail);
  const until = AbortSignal.any([stopped, end.signal]);
  if (!until.aborted) await once(until, "abort");
  fail(undefined);
  clearInterval(status);
  // What is being stored ends, and is confirmed if it was the whole.
  await working.catch(() => {});
  await service.destroy();
  if (!stopped.aborted) throw end.signal.reason;
}
