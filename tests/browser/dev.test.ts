import { describe } from "vitest";
import { describeInBrowser } from "./chromium.ts";
import { itShowsEachStep } from "./console-journey.ts";
import { itSearches } from "./search-page.ts";
import { stackInBrowser } from "./stack-in-browser.ts";
import { itShowsTheStatus } from "./status-page.ts";

describeInBrowser("npm run dev in a browser", () => {
  const given = stackInBrowser();
  describe("the search of the page", () => itSearches(given));
  describe("the status page", () => itShowsTheStatus(given));
  describe("the console", () => itShowsEachStep(given));
});
