import { duration } from "./format.ts";

/** How long ago something was, with the exact time to be found on it. */
export function Time({ at }: { at: Date }) {
  const seconds = Math.max(0, (Date.now() - at.getTime()) / 1000);
  const iso = at.toISOString();
  return (
    <time dateTime={iso} title={`${iso.slice(0, 19).replace("T", " ")} UTC`}>
      {seconds < 5 ? "just now" : `${duration(Math.floor(seconds))} ago`}
    </time>
  );
}
