import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const read = (path: string) => readFileSync(join(resolve(import.meta.dirname, "../.."), path), "utf8");

// The product and the local stack share no file, so each has the same theme, word for word.
it("the app and the local console have one theme", () => {
  expect(read("emulators/console/assets/theme.css")).toBe(read("app/theme.css"));
});
