import { readFileSync } from "node:fs";

/** The comment above a variable in .env.example, which is the only list that users have. */
export function whereToGet(name: string, text = readFileSync(".env.example", "utf8")): string | undefined {
  const lines = text.split("\n");
  const line = lines.indexOf(`# ${name}=`);
  return line > 0 ? lines[line - 1]?.replace(/^#\s*/, "") : undefined;
}
