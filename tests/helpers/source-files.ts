import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

const FOLDERS = ["app", "trigger", "packages", "drizzle", "scripts", "emulators", "dev", "tests", "bench"];

const filesBelow = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(tsx?|mjs)$/.test(name) && !/node_modules|^aftercommit\/dist/.test(name))
    .map((name) => join(folder, name));

/** Every file of code, by its path from the root. */
export const sources = ["aftercommit.config.ts", ...FOLDERS.flatMap(filesBelow)];
