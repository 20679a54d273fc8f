/** A day in milliseconds. */
export const DAY_MS = 86_400_000;

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: DAY_MS } as const;

type Unit = keyof typeof UNIT_MS;

/** A duration in words, such as `30 days`. */
export type Duration = `${number} ${Unit | `${Unit}s`}`;

const isUnit = (text: string): text is Unit => text in UNIT_MS;

/** A duration in milliseconds; undefined if the text is not a duration. */
export function durationMs(text: string): number | undefined {
  const [, count, unit = ""] = /^(\d{1,4}) (\w+?)s?$/.exec(text) ?? [];
  return count !== undefined && isUnit(unit) ? Number(count) * UNIT_MS[unit] : undefined;
}
