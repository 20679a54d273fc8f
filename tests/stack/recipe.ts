import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

type Block = { how: "new" | "end" | "in" | "migration"; path: string; text: string };

/** The code of a page of docs/, each with the line above that says where it belongs. */
function blocksOf(page: string): Block[] {
  const pattern =
    /^(?:(New file|At the end of|In) `([^`]+)`|(In the migration)):\n\n```\w+\n([\s\S]*?)^```$/gm;
  return [...page.matchAll(pattern)].map(([, words, path = "", migration, text = ""]) => ({
    how: migration ? "migration" : words === "New file" ? "new" : words === "In" ? "in" : "end",
    path,
    text,
  }));
}

/** Puts lines into a file: imports go to the others, any other line takes the place of the one that begins as it does. */
function change(file: string, text: string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("import ")) {
      lines.unshift(line);
      continue;
    }
    const begin = /^[^=:]+[=:]/.exec(line)?.[0] ?? line;
    const place = lines.findIndex((known) => known.startsWith(begin));
    if (place === -1) throw new Error(`${file} has no line like ${line}`);
    lines[place] = line;
  }
  writeFileSync(file, lines.join("\n"));
}

/** Follows a page of docs/ in a copy of the project. Answers how many files it made and how many lines it added. */
export function follow(page: string, folder: string) {
  const blocks = blocksOf(page);
  let [files, added] = [0, 0];
  for (const { how, path, text } of blocks) {
    const file = join(folder, path);
    if (how === "migration") {
      execFileSync("npm", ["run", "generate", "--", "--custom", "--name", "comments"], { cwd: folder });
      const migrations = join(folder, "drizzle/migrations");
      const name = readdirSync(migrations).find((known) => known.endsWith("_comments.sql")) ?? "";
      writeFileSync(join(migrations, name), text);
      continue;
    }
    added += text.split("\n").filter((line) => line.trim() !== "").length;
    if (how === "new") {
      files += 1;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } else if (how === "end") appendFileSync(file, `\n${text}`);
    else change(file, text);
  }
  return { blocks: blocks.length, files, added };
}
