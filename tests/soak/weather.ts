import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "./dice.ts";

const CALM_MS = 6_000;
const BAD_MS = 3_000;

const STORMS = [
  ["provider 503", "/local/openai/faults", { status: 503 }],
  ["provider 429", "/local/openai/faults", { status: 429, retryAfterMs: 1_500 }],
  ["slow provider", "/local/openai/faults", { delayMs: 2_000 }],
  ["mail server 451", "/local/mail/faults", { status: 451 }],
  ["external system 503", "/local/external-system/faults", { status: 503 }],
] as const;

/** Makes outside services fail and recover, again and again. Returns how often each failed. */
export async function makeWeather(
  localUrl: string,
  dice: Dice,
  endsAt: number,
): Promise<Map<string, number>> {
  const storms = new Map<string, number>();
  // The local stack may be down at the moment.
  const ask = (path: string, init: RequestInit) => fetch(localUrl + path, init).catch(() => undefined);
  while (Date.now() < endsAt) {
    await sleep(CALM_MS / 2 + dice.below(CALM_MS));
    const [name, path, fault] = dice.one(STORMS) ?? STORMS[0];
    const headers = { "content-type": "application/json" };
    const set = await ask(path, { method: "POST", headers, body: JSON.stringify(fault) });
    await sleep(BAD_MS / 2 + dice.below(BAD_MS));
    await ask(path, { method: "DELETE" });
    if (set?.ok) storms.set(name, (storms.get(name) ?? 0) + 1);
  }
  for (const [, path] of STORMS) await ask(path, { method: "DELETE" });
  return storms;
}
