import { setTimeout as sleep } from "node:timers/promises";
import { database, directDatabase, directUrl } from "../db/database.ts";
import type { Declaration } from "../declare/declaration.ts";
import { rootMessageOf } from "../errors.ts";
import { log } from "../log.ts";
import { capture } from "./capture.ts";
import { lastingFeed } from "./lasting-feed.ts";
import { requireReplication } from "./require-replication.ts";
import { slotName } from "./slot.ts";

const RETRY_MS = 15_000;

/**
 * Captures as long as the server runs. The other servers wait for the slot. A server that ends loses nothing, however
 * it ends. What prevents it from beginning is logged, and it tries again.
 */
export async function captureInApp(declarations: readonly Declaration[]): Promise<void> {
  const stopped = new AbortController().signal;
  for (;;)
    try {
      const [direct, url] = [directDatabase(), directUrl()];
      await requireReplication(url);
      const feed = lastingFeed({ db: direct, declarations, slot: await slotName(direct) });
      await capture({ db: database(), url, declarations, feed, stopped });
    } catch (error) {
      log("error", "capture.not_started", { error: rootMessageOf(error) });
      await sleep(RETRY_MS, undefined, { ref: false });
    }
}
