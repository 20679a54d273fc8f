const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far a time is from now, in one unit: "just now", "12 s ago", "in 3 min". Both are epoch milliseconds. */
export function relativeTime(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < SECOND) return at > now ? "now" : "just now";
  const [unit, name] =
    distance < MINUTE
      ? [SECOND, "s"]
      : distance < HOUR
        ? [MINUTE, "min"]
        : distance < DAY
          ? [HOUR, "h"]
          : [DAY, "d"];
  const amount = `${Math.floor(distance / unit)} ${name}`;
  return at > now ? `in ${amount}` : `${amount} ago`;
}
