/** Requests without the right secret: the route that they asked, and what was wrong. */
export type Refusal = { route: string; reason: string };
export type Refusals = Refusal & { requests: number };

const EVERY_MS = 60_000;
// A path can be spelled in many ways.
const MOST_ROUTES = 20;

/**
 * Makes a function that counts refusals. The first one is written at once, what comes in the minute after it at the end of
 * that minute, and so on: however many there are, `write` is called once a minute.
 */
export function createRefusalCount(write: (refusals: Refusals[]) => void) {
  const counts = new Map<string, Refusals>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    if (counts.size === 0) return;
    const counted = [...counts.values()];
    counts.clear();
    timer = setTimeout(flush, EVERY_MS).unref();
    write(counted);
  }

  return ({ route: asked, reason }: Refusal): void => {
    const isKnown = counts.has(`${asked} ${reason}`) || counts.size < MOST_ROUTES;
    const route = isKnown ? asked : "another route";
    const key = `${route} ${reason}`;
    counts.set(key, { route, reason, requests: (counts.get(key)?.requests ?? 0) + 1 });
    if (!timer) flush();
  };
}
