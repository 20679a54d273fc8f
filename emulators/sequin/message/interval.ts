/** Months, days and microseconds of an interval in Postgres' own style, `1 year 2 mons -3 days 04:05:06.7`. */
export function parseInterval(text: string): { months: number; days: number; microseconds: number } {
  const count = (unit: string) => Number(new RegExp(`([+-]?\\d+) ${unit}s?\\b`).exec(text)?.[1] ?? 0);
  return { months: count("year") * 12 + count("mon"), days: count("day"), microseconds: clock(text) };
}

function clock(text: string): number {
  const [, sign, hours, minutes, seconds, fraction = ""] =
    /([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text) ?? [];
  const whole = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  const microseconds = whole * 1_000_000 + Number(fraction.padEnd(6, "0"));
  return sign === "-" ? -microseconds : microseconds;
}
