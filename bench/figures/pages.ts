import type { Bench } from "../bench.ts";
import { startAppWithRows } from "../parts/app-with-rows.ts";
import { timePage } from "../parts/time-page.ts";

const ROUNDS = 60;

const PAGES: { name: string; path: (round: number) => string; status?: number; pauseMs?: number }[] = [
  { name: "nothing (404)", path: () => "/nothing", status: 404 },
  { name: "status, many viewers", path: () => "/" },
  // Viewers share data that is at most a second old; a single viewer's refreshes read it every time.
  { name: "status, one viewer", path: () => "/", pauseMs: 1_500 },
  { name: "search, page, new words", path: (round) => `/?q=words+${round}` },
  { name: "search, JSON, new words", path: (round) => `/api/search?q=other+words+${round}` },
  { name: "health", path: () => "/api/health" },
];

/** The production build's pages, one request after another. */
export async function run(bench: Bench): Promise<void> {
  const app = await startAppWithRows(bench);
  try {
    for (const { name, path, ...options } of PAGES) {
      bench.progress(name);
      const rounds = options.pauseMs ? ROUNDS / 3 : ROUNDS;
      const { headers } = app;
      bench.times(name, await timePage((round) => app.url + path(round), { ...options, rounds, headers }));
    }
  } finally {
    await app.stop();
  }
}
