import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { startAppWithRows } from "../parts/app-with-rows.ts";
import { deliver, messagesOf } from "../parts/deliver.ts";
import { Times } from "../report.ts";

const REQUESTS_A_SECOND = 50;
const DELIVERIES_A_SECOND = 5;
// What health asks of Trigger.dev.
const HEALTH_ASKS = "/api/v1/queues";

const PATHS = [
  () => "/api/health",
  () => "/",
  (nth: number) => `/?q=words+${nth}`,
  (nth: number) => `/api/search?q=other+words+${nth}`,
];

/** Starts work at an even rate, however long it takes. Resolves when all of it has ended. */
async function evenly(aSecond: number, seconds: number, work: (nth: number) => Promise<void>): Promise<void> {
  const started = performance.now();
  const all = Array.from({ length: aSecond * seconds }, async (_, nth) => {
    await sleep(started + (nth * 1_000) / aSecond - performance.now());
    await work(nth);
  });
  await Promise.all(all);
}

/** Health, the page and searches together, 50 requests a second, while deliveries arrive. */
export async function run(bench: Bench): Promise<void> {
  const { quick, progress, times, count } = bench;
  const seconds = quick ? 5 : 60;
  const app = await startAppWithRows(bench);
  const deliveries = async (answers: Times) =>
    evenly(DELIVERIES_A_SECOND, seconds, async (nth) => {
      const data = messagesOf("update", [{ id: nth + 1 }]);
      await answers.measure(() => deliver(app.url, { data }));
    });
  const request = async (nth: number) => {
    const path = PATHS[nth % PATHS.length]?.(nth) ?? "/";
    const response = await fetch(app.url + path, { headers: app.headers });
    await response.text();
    return response.status;
  };
  try {
    for (const [nth] of PATHS.entries()) await request(nth);
    await deliveries(new Times());
    progress("deliveries alone");
    const alone = new Times();
    await deliveries(alone);
    times("answer to a delivery, alone", alone);

    progress(`${REQUESTS_A_SECOND} requests a second`);
    const [meanwhile, answers] = [new Times(), new Times()];
    const askedBefore = app.requests.get(HEALTH_ASKS) ?? 0;
    let failed = 0;
    const load = evenly(REQUESTS_A_SECOND, seconds, async (nth) => {
      const status = await answers.measure(() => request(nth));
      if (status !== 200) failed += 1;
    });
    await Promise.all([load, deliveries(meanwhile)]);
    times(`answer to one of ${REQUESTS_A_SECOND} requests a second`, answers);
    count("of them not answered 200", failed, { exactly: 0 });
    times("answer to a delivery meanwhile", meanwhile);
    const asked = (app.requests.get(HEALTH_ASKS) ?? 0) - askedBefore;
    count("requests of health to Trigger.dev", asked, { atMost: 2 });
  } finally {
    await app.stop();
  }
}
