import { describe } from "vitest";
import { describeInBrowser } from "../helpers/browser/chromium.ts";
import { stackInBrowser } from "../helpers/browser/stack-in-browser.ts";
import { itShowsEachStep } from "./console-journey.ts";
import { itSearches } from "./search-page.ts";
import { itShowsTheStatus } from "./status-page.ts";

describeInBrowser("npm run dev in a browser", () => {
  const given = stackInBrowser();
  describe("the search of the page", () => itSearches(given));
  describe("the status page", () => itShowsTheStatus(given));
  describe("the console", () => itShowsEachStep(given));
});
