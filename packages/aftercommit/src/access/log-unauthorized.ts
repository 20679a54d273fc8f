import { log } from "../log.ts";

const EVERY_MS = 60_000;

/**
 * Creates a function that counts requests without the right secret. It writes the first request to a route immediately,
 * and then at most one total a minute per route.
 */
export function createUnauthorizedCount(write: (route: string, requests: number) => void) {
  const counts = new Map<string, number>();

  function flush(route: string): void {
    const requests = counts.get(route);
    if (!requests) {
      counts.delete(route);
      return;
    }
    counts.set(route, 0);
    setTimeout(() => flush(route), EVERY_MS).unref();
    write(route, requests);
  }

  return (route: string): void => {
    const known = counts.get(route);
    counts.set(route, (known ?? 0) + 1);
    if (known === undefined) flush(route);
  };
}

/**
 * Logs a request without the right secret. `route` is one of a few, never the path as requested.
 *
 * @example
 * if (!isAllowed(request)) logUnauthorized("/api/search");
 */
export const logUnauthorized = createUnauthorizedCount((route, requests) =>
  log("warn", "access.unauthorized", { route, requests }),
);
