import { stripVTControlCharacters, styleText } from "node:util";

const COLORS = {
  next: "gray",
  external: "cyan",
  dev: "bold",
  postgres: "blue",
  sequin: "magenta",
  trigger: "green",
  openai: "yellow",
  mail: "cyan",
} as const;
type Colored = keyof typeof COLORS;

const isColored = (name: string): name is Colored => name in COLORS;

/** Writes one line to the terminal, after the name of its source, unless it is blank. */
export function say(name: string, line: string): void {
  // Some tools end with a control code for the terminal, such as one that shows the cursor again.
  if (!stripVTControlCharacters(line).trim()) return;
  const padded = name.padEnd(9);
  const label = process.stdout.isTTY && isColored(name) ? styleText(COLORS[name], padded) : padded;
  process.stdout.write(`${label} ${line}\n`);
}

/** Writes rows of name, address and remark in aligned columns, between empty lines. */
export function table(rows: readonly (readonly [name: string, address: string, remark: string])[]): void {
  const width = (column: 0 | 1) => Math.max(...rows.map((row) => row[column].length));
  const [names, addresses] = [width(0), width(1)];
  const lines = rows.map(([name, address, remark]) =>
    `  ${name.padEnd(names)}  ${address.padEnd(addresses)}  ${remark}`.trimEnd(),
  );
  process.stdout.write(`\n${lines.join("\n")}\n\n`);
}
