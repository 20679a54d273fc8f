import { duration } from "./format.ts";

function relative(seconds: number): string {
  if (seconds <= -5) return `in ${duration(Math.ceil(-seconds))}`;
  return seconds < 5 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}

/** How long ago something was, or in how long it will be, with the exact time in its tooltip. */
export function Time({ at }: { at: Date }) {
  const iso = at.toISOString();
  return (
    <time dateTime={iso} title={`${iso.slice(0, 19).replace("T", " ")} UTC`}>
      {relative((Date.now() - at.getTime()) / 1000)}
    </time>
  );
}
