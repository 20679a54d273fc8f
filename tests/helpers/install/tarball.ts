import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../documents.ts";

/** Vitest's global setup: packs the library as npm publishes it, once for all files. */
export function setup(): void {
  const printed = execFileSync(process.execPath, [join(ROOT, "scripts/pack.mjs")], { encoding: "utf8" });
  process.env.TEST_TARBALL = printed.trim().split("\n").at(-1);
}

/** The path of the packed library. */
export const tarball = () => process.env.TEST_TARBALL ?? "";
