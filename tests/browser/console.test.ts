import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  describeInBrowser,
  findAccessibilityIssues,
  keepScreenshot,
  overflowOf,
} from "../helpers/browser/chromium.ts";
import { openScene, type Scene } from "../helpers/browser/console-scene.ts";
import { launchChromium } from "../helpers/browser/launch-chromium.ts";

let browser: Browser;
let scene: Scene;
let page: Page;

describeInBrowser("the console in a browser", () => {
  beforeAll(async () => {
    [browser, scene] = await Promise.all([launchChromium(), openScene()]);
  });
  afterAll(async () => {
    await browser.close();
    await scene.close();
  });
  beforeEach(async () => {
    page = await browser.newPage({ baseURL: scene.url, viewport: { width: 1280, height: 800 } });
  });
  afterEach(() => page.close());

  const places = (): Record<string, string> => ({
    overview: "/",
    runs: "/runs",
    "failed run": `/runs/${scene.runs.failed}`,
    "finished run": `/runs/${scene.runs.done}`,
    "parent run": `/runs/${scene.runs.parent}`,
    deliveries: "/deliveries",
    delivery: "/deliveries/1",
    mails: "/mails",
    mail: scene.mail,
    "deletion calls": "/external-system",
    "missing run": "/runs/run_missing",
  });

  test("a failed run is replayed with one button, and succeeds without a reload", async () => {
    await page.goto("/runs");
    await page
      .getByRole("row", { name: scene.runs.failed })
      .getByRole("link", { name: "create-embedding" })
      .click();
    await page.getByRole("status").getByText("Failed").waitFor();
    await page.getByText("401 Incorrect API key provided.").first().waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.waitForURL((url) => !url.pathname.endsWith(scene.runs.failed));
    await page.getByText("Queued").waitFor();

    const held = await scene.worker.start(await scene.worker.take());
    expect(page.url()).toContain(held.run);
    await page.getByText("Executing").waitFor();
    await scene.worker.succeed(held, { status: "embedded" });
    await page.getByRole("status").getByText("Completed").waitFor();
    await page.getByText('"status": "embedded"').waitFor();
    expect(await page.title()).toContain("Completed");
  });

  test("the confirmation mail is found and read", async () => {
    await page.goto("/");
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name: "Mails" }).click();
    await page.getByRole("link", { name: "Your account has been deleted" }).click();
    await page.getByRole("heading", { name: "Your account has been deleted" }).waitFor();
    const rich = page.frameLocator("iframe").getByText("have been deleted");
    await rich.waitFor();
    await page.getByRole("region", { name: "Text" }).getByText("have been deleted").waitFor();
  });

  test("a list refreshes by itself", async () => {
    await page.goto("/runs");
    const { id } = await scene.worker.trigger("reconcile-post-embeddings", { delay: "1h" });
    await page.getByText(id).waitFor();
  });

  test("nothing is refreshed while someone types or has text selected", async () => {
    await page.clock.install();
    await page.goto("/runs");
    const requests: string[] = [];
    // The browser itself may request the page's icon at any time.
    page.on("request", (request) => {
      if (request.resourceType() === "fetch") requests.push(request.url());
    });
    const tag = page.getByLabel("Tag");
    await tag.fill("post:");
    await page.clock.runFor(10_000);
    expect(requests).toEqual([]);
    await tag.blur();
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('td'))");
    await page.clock.runFor(10_000);
    expect(requests).toEqual([]);
    await page.evaluate("getSelection().removeAllRanges()");
    await page.clock.runFor(2_000);
    expect(requests.length).toBeGreaterThan(0);
    expect(await tag.inputValue()).toBe("post:");
  });

  test("a page says that the stack does not answer, and continues when it does again", async () => {
    await page.goto("/runs");
    await page.route("**/runs", (route) => route.abort());
    await page.getByText("The local stack does not answer; trying again").waitFor();
    await page.unroute("**/runs");
    await page.getByText("The local stack does not answer; trying again").waitFor({ state: "hidden" });
  });

  test("a refresh keeps open details, the scroll position and the focus", async () => {
    await page.setViewportSize({ width: 1280, height: 400 });
    await page.goto(`/runs/${scene.runs.failed}`);
    const details = page.getByRole("listitem").locator("details");
    await details.locator("summary").click();
    await page.getByRole("region", { name: "Payload" }).first().scrollIntoViewIfNeeded();
    const before = await page.evaluate("[scrollY, document.activeElement.localName]");
    // What the next refresh corrects, however old the run is by now.
    const time = page.locator("time").first();
    await page.evaluate("document.querySelector('time').textContent = 'stale'");
    await expect.poll(() => time.textContent()).not.toBe("stale");
    expect(await details.getAttribute("open")).not.toBeNull();
    expect(await page.evaluate("[scrollY, document.activeElement.localName]")).toEqual(before);
  });

  test("the keyboard alone filters, opens a run and replays it", async () => {
    await page.goto("/runs");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent.trim()")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    for (const key of ["Tab", "Tab", "Tab"]) await page.keyboard.press(key);
    await page.keyboard.type("post:2");
    await page.keyboard.press("Enter");
    await page.waitForURL(/tag=post%3A2/);
    await page.locator(`a[href="/runs/${scene.runs.failed}"]`).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(scene.runs.failed));
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate("document.activeElement.textContent.startsWith('Replay')")) break;
    }
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => !url.pathname.endsWith(scene.runs.failed));
    await scene.worker.runNext({ status: "embedded" });
    await page.getByRole("status").getByText("Completed").waitFor();
  });

  test("without JavaScript every page shows, and its buttons work", async () => {
    const context = await browser.newContext({ baseURL: scene.url, javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(`/runs/${scene.runs.failed}`);
    await plain.getByRole("button", { name: "Replay" }).click();
    await plain.waitForURL((url) => !url.pathname.endsWith(scene.runs.failed));
    await plain.getByRole("button", { name: "Cancel" }).click();
    await plain.getByRole("status").getByText("Canceled").waitFor();
    await context.close();
  });

  test("nothing lies outside a window of 360 pixels", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const [name, path] of Object.entries(places())) {
      await page.goto(path);
      await keepScreenshot(page, `console-${name.replaceAll(" ", "-")}-narrow`);
      expect({ name, scrolls: (await overflowOf(page)) > 0 }).toEqual({ name, scrolls: false });
    }
  });

  test.each(["light", "dark"] as const)(
    "axe-core finds nothing serious on any page in %s",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      for (const [name, path] of Object.entries(places())) {
        await page.goto(path);
        await keepScreenshot(page, `console-${name.replaceAll(" ", "-")}-${colorScheme}`);
        expect({ name, issues: await findAccessibilityIssues(page) }).toEqual({ name, issues: [] });
      }
    },
  );

  test("nothing on a page is blocked by its own policy", async () => {
    const refused: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("404")) refused.push(message.text());
    });
    for (const path of Object.values(places())) await page.goto(path);
    expect(refused).toEqual([]);
  });
});
