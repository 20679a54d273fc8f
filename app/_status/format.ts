import { MOST_COUNTED } from "aftercommit/status";

const number = new Intl.NumberFormat("en-US");

/** 1234567 as 1,234,567. */
export const exactly = (value: number) => number.format(value);

/** A count of rows: 123 as 123, and anything above the limit as 10,000+. */
export const counted = (value: number) =>
  value > MOST_COUNTED ? `${exactly(MOST_COUNTED)}+` : exactly(value);

export const wordsOf = (rows: string) => rows.replaceAll("-", " ");

/** Seconds as 40 ms, 1.2 s, 3 min, 5 h or 2 d. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
