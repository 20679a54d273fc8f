/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

/** Names and values; a missing value is left out with its name. */
export function Facts({ rows, across }: { rows: [name: string, value: Child][]; across?: boolean }) {
  return (
    <dl class={across ? "facts across" : "facts"}>
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "")
        .map(([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
