import { readFileSync } from "node:fs";

/** What .env.example says above a variable; it is the one list of them that users have. */
export function whereToGet(name: string, text = readFileSync(".env.example", "utf8")): string | undefined {
  const lines = text.split("\n");
  const line = lines.indexOf(`# ${name}=`);
  return line > 0 ? lines[line - 1]?.replace(/^#\s*/, "") : undefined;
}
