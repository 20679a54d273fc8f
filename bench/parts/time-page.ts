import { setTimeout } from "node:timers/promises";
import { Times } from "../report.ts";

type Options = { rounds: number; status?: number; pauseMs?: number; headers?: Record<string, string> };

const WARM_UP = 5;

/** Fetches a page repeatedly, one request after another. */
export async function timePage(
  urlOf: (round: number) => string,
  { rounds, status = 200, pauseMs = 0, headers = {} }: Options,
): Promise<Times> {
  const times = new Times();
  for (let round = -WARM_UP; round < rounds; round += 1) {
    if (pauseMs > 0) await setTimeout(pauseMs);
    const started = performance.now();
    const response = await fetch(urlOf(round), { headers });
    await response.text();
    if (response.status !== status) throw new Error(`${urlOf(round)} answered ${response.status}`);
    if (round >= 0) times.add(performance.now() - started);
  }
  return times;
}
