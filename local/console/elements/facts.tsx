/** @jsxImportSource hono/jsx */
import type { Child } from "hono/jsx";

/** Names and values; a value that is missing takes its name with it. */
export function Facts({ rows }: { rows: [name: string, value: Child][] }) {
  return (
    <dl class="facts">
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
