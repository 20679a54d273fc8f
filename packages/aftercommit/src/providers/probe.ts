import { setTimeout as sleep } from "node:timers/promises";
import { type Ask, askProvider } from "./ask-provider.ts";
import { type Failure, isDrop, isOneTexts, isStarting } from "./blame.ts";

const PROBE_TIMEOUT_MS = 10_000;
// A server that crashed during a request gets this long to come back: 20 s.
const MOST_PROBES = 10;
const PROBE_PAUSE_MS = 2_000;

/** A search for the text at fault. `isProbed`: a known good text was embedded. */
export type Probed = {
  ask: Ask;
  isProbed: boolean;
};

/**
 * Embeds a known good text. Rejects if that fails as well: none of the texts is at fault. Waits for a server that went
 * down during a request, or the text that crashed it would be in the next request again.
 */
export async function probe(search: Probed, why: Failure): Promise<void> {
  const { ask } = search;
  const timeoutMs = Math.min(PROBE_TIMEOUT_MS, ask.provider.timeoutMs);
  for (let left = isDrop(why) ? MOST_PROBES : 1; ; left -= 1) {
    try {
      await askProvider([{ text: "ok", tokens: 1 }], { ...ask, timeoutMs });
      search.isProbed = true;
      return;
    } catch (error) {
      if (left <= 1 || !isStarting(error)) throw isOneTexts(error) ? why : error;
    }
    await sleep(PROBE_PAUSE_MS);
  }
}
