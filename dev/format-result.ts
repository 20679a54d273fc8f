import type { QueryResult } from "pg";

const MAX_WIDTH = 80;

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text =
    value instanceof Date
      ? value.toISOString()
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);
  const line = text.replaceAll("\n", "↵");
  return line.length > MAX_WIDTH ? `${line.slice(0, MAX_WIDTH - 1)}…` : line;
}

/** A result as psql prints it: a table for rows, the command and its count otherwise. */
export function formatResult(result: QueryResult<Record<string, unknown>>): string {
  const names = result.fields.map((field) => field.name);
  if (names.length === 0) return [result.command, result.rowCount].filter((part) => part !== null).join(" ");
  const rows = result.rows.map((row) => names.map((name) => cell(row[name])));
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: string[]) =>
    ` ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")}`.trimEnd();
  const rule = widths.map((width) => "-".repeat(width + 2)).join("+");
  const count = `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
  return [line(names), rule, ...rows.map(line), count].join("\n");
}
