import type { Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { itLooksRight } from "../helpers/browser/looks.ts";
import type { InBrowser } from "../helpers/browser/stack-in-browser.ts";
import type { DevStack } from "../helpers/stack/dev-stack.ts";

let stack: DevStack;
let page: Page;

const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.id");

/** Tests of the search of the page. */
export function itSearches(given: () => InBrowser): void {
  beforeEach(() => {
    ({ stack, page } = given());
  });

  it("finds a post by a paraphrase that shares no word with it", async () => {
    await page.goto("/");
    await page.getByRole("searchbox").fill("pension money");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("heading", { name: "Results for “pension money”" }).waitFor();
    const [first] = await page.getByRole("listitem").getByRole("heading").allTextContents();
    expect(first).toBe("Saving for retirement");
    expect(await page.getByRole("searchbox").inputValue()).toBe("pension money");
    await page.getByRole("link", { name: "Back to the status" }).click();
    await page.getByRole("heading", { name: "public.posts" }).waitFor();
  });

  it("finds posts by their words while someone types, and is used with the arrow keys, Enter and Escape", async () => {
    await page.goto("/");
    await page.locator('.refresh[data-state="live"]').waitFor();
    await page.evaluate("window.sameDocument = true");
    await page.getByRole("searchbox").pressSequentially("pupp");
    const found = page.getByRole("listitem").getByRole("heading");
    // Not the results of the letters before.
    await page.getByText("by the words of “pupp”").waitFor();
    await page.getByRole("listitem").getByRole("heading", { name: "Training a puppy" }).waitFor();
    expect(await found.count()).toBe(1);
    expect(await found.first().locator("mark").allTextContents()).toEqual(["puppy"]);
    await page.keyboard.press("ArrowDown");
    expect(await focused()).toMatch(/^Similar to post \d+$/);
    await page.keyboard.press("Escape");
    expect(await focused()).toBe("q");
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: "public.posts" }).waitFor();
    expect(await page.evaluate("window.sameDocument")).toBe(true);
    // A search that is running is aborted by the next key. It is not answered before. A slow machine aborted some while
    // the word above was typed, too: those do not count.
    const aborted: string[] = [];
    page.on("requestfailed", (request) => aborted.push(request.url()));
    await page.route(/q=pup\*/, () => {});
    await page.getByRole("searchbox").fill("pup");
    await page.waitForRequest(/q=pup\*/);
    await page.getByRole("searchbox").fill("bread");
    await page.getByRole("listitem").getByRole("heading", { name: "Baking bread at home" }).waitFor();
    expect(aborted).toEqual([expect.stringContaining("q=pup*")]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Similar to post/ }).waitFor();
    expect(await found.allTextContents()).not.toContain("Baking bread at home");
    expect(await found.count()).toBeGreaterThan(2);
    await page.getByRole("link", { name: "Back to the results" }).click();
    await page.getByRole("heading", { name: "Results for “bread”" }).waitFor();
  });

  it("searches by the chosen mode and filters, and helps if nothing is found", async () => {
    await page.goto("/?q=dog");
    await page.getByText("Words", { exact: true }).click();
    await page.getByText("Filters").click();
    await page.getByRole("textbox", { name: "created_at" }).fill("> 2999-01-01");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No posts found" }).waitFor();
    expect(await page.getByRole("radio", { name: "Words", exact: true }).isChecked()).toBe(true);
    await page.getByRole("link", { name: "Search without the filters" }).click();
    await page.getByRole("listitem").getByRole("heading", { name: "Training a puppy" }).waitFor();
    expect(await page.getByText(/ by meaning$/).count()).toBe(0);
    expect(await page.getByRole("textbox", { name: "created_at" }).isVisible()).toBe(false);
    await page.goto("/?q=xqzwv+bdfgh");
    await page.getByRole("heading", { name: "No posts found" }).waitFor();
  });

  it("searches by words only for a link on another site", async () => {
    await page.route("http://elsewhere.example/", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<a href="http://127.0.0.1:${stack.ports.app}/?q=dog">a link</a>`,
      }),
    );
    await page.goto("http://elsewhere.example/");
    await page.getByRole("link").click();
    await page.getByText("This search comes from another site").waitFor();
    expect(await page.getByText(/ by (words and )?meaning$/).count()).toBe(0);
  });

  itLooksRight(
    {
      results: "/?q=dog+obedience",
      nothing: "/?q=zzzz&mode=words&where%5Bauthor%5D=Nobody",
      similar: "/?q=dog&similar=1",
      "refused-search": `/?q=${"a".repeat(1_001)}`,
    },
    () => page,
  );
}
