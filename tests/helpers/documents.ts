import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");
export const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

export type Document = { name: string; text: string };

const AT_THE_TOP = ["README.md", "CONTRIBUTING.md", "AGENTS.md", "SECURITY.md", "CHANGELOG.md"];
const below = (folder: string) => readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });

/** Every page that people read, with its path. */
export const documents: readonly Document[] = [
  ...AT_THE_TOP,
  ...below("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(ROOT, "emulators")).map((name) => `emulators/${name}/README.md`),
]
  .filter((name) => existsSync(join(ROOT, name)))
  .map((name) => ({ name, text: read(name) }));

/** The fenced blocks of a page in a language. */
export const blocksOf = ({ text }: Document, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    ([, block = ""]) => block,
  );

/** What someone would copy from a page into a terminal, without comments and lines that only set a variable. */
export const commandsOf = (page: Document): string[] =>
  blocksOf(page, "sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/(^|\s+)# .*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("export "));

/** The npm commands in a page's sentences. */
export const commandsInProse = ({ text }: Document): string[] =>
  [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/`(npm [^`]+)`/g)].map(([, command = ""]) =>
    command.replaceAll(/\s+/g, " "),
  );

/** The anchors that GitHub gives to the headings of a page. */
export const anchorsOf = (text: string): string[] =>
  [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
