import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

const ROOMS = ["app", "trigger", "lib", "drizzle", "scripts", "local", "dev", "tests", "bench"];

/** Every file of code, by its path from the root. */
export const sources = ROOMS.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(tsx?|mjs)$/.test(name) && !name.includes("node_modules"))
    .map((name) => join(room, name)),
);
