import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "./dice.ts";

const CALM_MS = 3_500;
const BAD_MS = 3_000;

// One text in 25 contains it.
const CONTAINING = "amber birch";
/** The system that is asked afterwards whether it still has the user. */
export const VERIFIED_SYSTEM = "archive";

type Storm = readonly [name: string, fault: object];

const STORMS: Readonly<Record<string, readonly Storm[]>> = {
  openai: [
    ["provider 503", { status: 503 }],
    ["provider 503 with a time", { status: 503, retryAfterMs: 4_000 }],
    ["provider 429", { status: 429, retryAfterMs: 1_500 }],
    ["provider slow", { delayMs: 2_000 }],
    ["provider drops connections", { drops: true }],
    ["provider answers a page", { status: 200, body: "<html>Welcome</html>" }],
    ["provider errs with 200", { status: 200, body: '{"error":{"message":"No worker","code":503}}' }],
    ["provider errs as FastAPI", { status: 500, body: '{"detail":"CUDA out of memory"}' }],
    ["provider errs in a list", { status: 400, body: '[{"error":{"code":400,"message":"Why not"}}]' }],
    ["provider leaves an index out", { spoils: "no index" }],
    ["provider repeats an index", { spoils: "same index" }],
    ["provider lacks a vector", { spoils: "one short" }],
    ["one text is a 500", { status: 500, containing: CONTAINING }],
    ["one text is a 400", { containing: CONTAINING }],
    ["one text is NaN", { spoils: "nan", containing: CONTAINING }],
    ["one text drops the connection", { drops: true, containing: CONTAINING }],
  ],
  mail: [
    ["mail server 451", { status: 451 }],
    ["mail bounces", { status: 550 }],
    ["mail answer lost", { drops: true }],
  ],
  "external-system": [
    ["external system 503", { status: 503 }],
    ["external system 404", { status: 404 }],
    ["external system 410", { name: "crm", status: 410 }],
    ["external system 429", { status: 429, retryAfterMs: 20_000 }],
    ["external system slow", { delayMs: 3_000 }],
    // Longer than an attempt may take.
    ["external system silent", { name: "crm", delayMs: 90_000 }],
    ["external system lies", { name: VERIFIED_SYSTEM, lies: true }],
  ],
};
// The model pauses for minutes, not a day. It comes last, since nothing else reaches the provider in that time.
const LAST: Storm = ["provider 429 for a day", { status: 429, retryAfterMs: 86_400_000 }];

/** Makes outside services fail in each way, and recover. Returns how often each failed. */
export async function makeWeather(
  localUrl: string,
  diceOf: (stream: number) => Dice,
  endsAt: number,
): Promise<Map<string, number>> {
  const storms = new Map<string, number>();

  async function over(part: string, dice: Dice): Promise<void> {
    // The local stack may be down at the moment.
    const ask = (init: RequestInit) => fetch(`${localUrl}/local/${part}/faults`, init).catch(() => undefined);
    async function storm([name, fault]: Storm): Promise<void> {
      await sleep(CALM_MS / 2 + dice.below(CALM_MS));
      const headers = { "content-type": "application/json" };
      const set = await ask({ method: "POST", headers, body: JSON.stringify(fault) });
      if (set?.status === 400) throw new Error(`${name}: ${await set.text()}`);
      await sleep(BAD_MS / 2 + dice.below(BAD_MS));
      await ask({ method: "DELETE" });
      if (set?.ok) storms.set(name, (storms.get(name) ?? 0) + 1);
    }
    let order: Storm[] = [];
    while (Date.now() < endsAt) {
      if (order.length === 0) order = dice.shuffled(STORMS[part] ?? []);
      await storm(order.pop() ?? LAST);
    }
    if (part === "openai") await storm(LAST);
    await ask({ method: "DELETE" });
  }

  await Promise.all(Object.keys(STORMS).map((part, index) => over(part, diceOf(5 + index))));
  return storms;
}
