import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { complaintsOf, findAccessibilityIssues, keepScreenshot, overflowOf } from "./chromium.ts";

/** Tests of how some addresses of the page look, and takes their screenshots. */
export function itLooksRight(places: Record<string, string>, pageOf: () => Page): void {
  describe.each(Object.entries(places))("%s", (name, path) => {
    it.each(["light", "dark"] as const)(
      "has no serious accessibility issue in %s, and nothing that its policy refuses",
      async (colorScheme) => {
        const page = pageOf();
        const complaints = complaintsOf(page);
        await page.emulateMedia({ colorScheme });
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await keepScreenshot(page, `${name}-${colorScheme}`);
        expect(await findAccessibilityIssues(page)).toEqual([]);
        expect(complaints).toEqual([]);
      },
    );

    it("fits into 360 pixels", async () => {
      const page = pageOf();
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await keepScreenshot(page, `${name}-narrow`);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    });
  });
}
