// Who mistypes a password a few times notices nothing.
const FREE = 10;
const FORGOTTEN_AFTER_MS = 60_000;
const SHORTEST_MS = 100;
const LONGEST_MS = 3_000;
const MOST_SOURCES = 1_000;
const MOST_HELD = 100;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Deps = { now?: () => number; wait?: (ms: number) => Promise<void> };

/**
 * Makes a function that resolves the later the more often it was called for a source: at once for the first 10 calls,
 * then after 100 ms, doubling to 3 s, until the source was quiet for a minute. Only failures may be passed through it: it
 * knows of nothing else. At most 1,000 sources are remembered and 100 calls held; the next ones resolve at once.
 */
export function createSlowDown({ now = Date.now, wait = pause }: Deps = {}) {
  const sources = new Map<string, { failures: number; lastAt: number }>();
  let held = 0;

  function failuresOf(source: string): number {
    const known = sources.get(source);
    const at = now();
    const failures = known && at - known.lastAt < FORGOTTEN_AFTER_MS ? known.failures + 1 : 1;
    // Added anew, it is the last one to be forgotten.
    sources.delete(source);
    const [oldest] = sources.keys();
    if (oldest !== undefined && sources.size >= MOST_SOURCES) sources.delete(oldest);
    sources.set(source, { failures, lastAt: at });
    return failures;
  }

  return async (source: string): Promise<void> => {
    const tooMany = failuresOf(source) - FREE;
    if (tooMany <= 0 || held >= MOST_HELD) return;
    held += 1;
    try {
      await wait(Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(tooMany - 1, 10)));
    } finally {
      held -= 1;
    }
  };
}
