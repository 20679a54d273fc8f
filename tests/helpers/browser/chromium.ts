import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { describe } from "vitest";
import { EXECUTABLE } from "./launch-chromium.ts";

const SCREENSHOTS = process.env.SCREENSHOTS_DIR ?? ".local/screenshots";

/** `describe`, or skipped with the reason in its name if there is no Chromium. */
export function describeInBrowser(name: string, suite: () => void): void {
  if (existsSync(EXECUTABLE)) describe(name, suite);
  else describe.skip(`${name} (no Chromium at ${EXECUTABLE}; CHROMIUM_PATH names another)`, suite);
}

/** Collects a page's problems: uncaught errors, and everything that its console calls an error. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return complaints;
}

/** Saves a screenshot of the whole page to SCREENSHOTS_DIR, or .local/screenshots if that is not set. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true, caret: "initial" });
}

/** The serious and critical issues that axe-core finds, as `rule: element`. */
export async function findAccessibilityIssues(page: Page): Promise<string[]> {
  // Not as a script of the page, which its content security policy would block.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>("axe.run()");
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}`));
}

/** How many pixels the page is wider than its window. If any, it scrolls sideways. */
export const overflowOf = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
