import { createRequire } from "node:module";

// A CommonJS package whose names Node.js' ESM loader does not find.
const nextEnv: typeof import("@next/env") = createRequire(import.meta.url)("@next/env");

/** Loads the .env files of the working directory like `next dev`. Existing variables win. */
export function loadDotenv(): void {
  nextEnv.loadEnvConfig(process.cwd(), true, { info() {}, error: console.error });
}
