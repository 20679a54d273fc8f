/** @jsxImportSource hono/jsx */
import { relativeTime } from "../format/relative-time.ts";

const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** A time as its distance from now; the whole date is in the tooltip, and next to it if there is room. */
export function Time({ at, whole = false }: { at: Date | number | string; whole?: boolean }) {
  const date = new Date(at);
  const text = absolute.format(date);
  return (
    <>
      <time datetime={date.toISOString()} title={text}>
        {relativeTime(date.getTime(), Date.now())}
      </time>
      {whole && <span class="muted when">{text}</span>}
    </>
  );
}
