import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../db/client.ts";
import type { Declaration } from "../declare/declaration.ts";
import { rootCodeOf, rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { sourceOf } from "../source.ts";
import type { Feed } from "./feed.ts";
import { observeLag } from "./lag.ts";
import { storeFor } from "./store.ts";
import { streamChanges } from "./stream.ts";

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
// How often a second process looks whether the first one still reads the slot.
const STANDBY_MS = 2_000;
// object_in_use: another process reads the slot.
const ACTIVE_ELSEWHERE = "55006";

type Options = {
  db: Database;
  /** The address for replication, which no pooler answers. */
  url: string;
  declarations: readonly Declaration[];
  feed: Feed;
  stopped: AbortSignal;
};

/**
 * Reads the database's changes until `stopped`, stores what they ask for and triggers the runs. While another process
 * reads the slot, this one waits. Rejects only if it cannot begin: with CaptureError or SourceError, or when the
 * database does not answer.
 */
export async function capture({ db, url, declarations, feed, stopped }: Options): Promise<void> {
  const { slot } = feed;
  for (const declaration of declarations) await sourceOf(db, declaration);
  const store = storeFor(db, declarations);
  let confirmed: string | undefined = await feed.open();
  const lag = observeLag(db, slot);
  let [waitMs, isStandby] = [FIRST_RETRY_MS, false];
  const onStart = () => {
    [waitMs, isStandby] = [FIRST_RETRY_MS, false];
    log("info", "capture.started", { slot, confirmed });
  };
  while (!stopped.aborted) {
    try {
      confirmed ??= await feed.open();
      await streamChanges({ url, feed, confirmed, store, lag, stopped, onStart });
    } catch (error) {
      confirmed = undefined;
      if (rootCodeOf(error) === ACTIVE_ELSEWHERE) {
        if (!isStandby) log("info", "capture.standby", { slot });
        isStandby = true;
      } else log("warn", "capture.interrupted", { slot, error: rootMessageOf(error) });
      await sleep(isStandby ? STANDBY_MS : waitMs, undefined, { signal: stopped }).catch(() => {});
      waitMs = Math.min(2 * waitMs, LAST_RETRY_MS);
    }
  }
  lag.end();
  await feed.close();
  log("info", "capture.stopped", { slot });
}
