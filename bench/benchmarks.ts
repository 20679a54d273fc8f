import type { Bench } from "./bench.ts";

export type Benchmark = {
  load: () => Promise<{ run(bench: Bench): Promise<void> }>;
  /** Whether `--quick` runs it. It skips benchmarks without a count to judge. */
  inQuick: boolean;
};

/** Every benchmark by its name, in the order in which they run. */
export const benchmarks: Readonly<Record<string, Benchmark>> = {
  backfill: { load: () => import("./figures/backfill.ts"), inQuick: true },
  edits: { load: () => import("./figures/edits.ts"), inQuick: false },
  redeliveries: { load: () => import("./figures/redeliveries.ts"), inQuick: true },
  rate: { load: () => import("./figures/rate.ts"), inQuick: true },
  million: { load: () => import("./figures/million.ts"), inQuick: false },
  sources: { load: () => import("./figures/sources.ts"), inQuick: false },
  writes: { load: () => import("./figures/writes.ts"), inQuick: false },
  repairs: { load: () => import("./figures/repairs.ts"), inQuick: true },
  ingress: { load: () => import("./figures/ingress.ts"), inQuick: false },
  search: { load: () => import("./figures/search.ts"), inQuick: true },
  filters: { load: () => import("./figures/filters.ts"), inQuick: false },
  words: { load: () => import("./figures/words.ts"), inQuick: false },
  capacity: { load: () => import("./figures/capacity.ts"), inQuick: false },
  reconcile: { load: () => import("./figures/reconcile.ts"), inQuick: true },
  start: { load: () => import("./figures/start.ts"), inQuick: false },
  trigger: { load: () => import("./figures/trigger.ts"), inQuick: false },
  pages: { load: () => import("./figures/pages.ts"), inQuick: false },
  load: { load: () => import("./figures/load.ts"), inQuick: false },
  console: { load: () => import("./figures/console.ts"), inQuick: false },
};
