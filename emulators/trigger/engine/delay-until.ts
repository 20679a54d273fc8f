import { parseNaturalLanguageDurationInMs } from "@trigger.dev/core/v3/isomorphic";

/**
 * When a `delay` option ends: a duration such as 1h30m, an ISO date or a Date. A past time and any other string mean no
 * delay.
 */
export function delayUntil(delay: string | Date | undefined, now: number): number | undefined {
  if (delay === undefined) return undefined;
  const ms = typeof delay === "string" ? parseNaturalLanguageDurationInMs(delay) : undefined;
  const at = ms !== undefined ? now + ms : new Date(delay).getTime();
  return at > now ? at : undefined;
}
