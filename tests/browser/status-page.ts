import type { Browser, Page } from "playwright-core";
import { beforeEach, expect, it } from "vitest";
import { keepScreenshot } from "../helpers/browser/chromium.ts";
import { itLooksRight } from "../helpers/browser/looks.ts";
import type { InBrowser } from "../helpers/browser/stack-in-browser.ts";
import type { DevStack } from "../helpers/stack/dev-stack.ts";
import { everyPostEmbedded } from "../helpers/stack/embeddings.ts";
import { until } from "../helpers/until.ts";

let stack: DevStack;
let browser: Browser;
let page: Page;

const rowOf = (title: string) => page.getByRole("table").getByRole("row", { name: title });
const countOf = (name: string) =>
  page.locator(".counts > div", { has: page.getByText(name, { exact: true }) }).getByRole("definition");
const embeddedNow = async () => Number(await countOf("Embedded").textContent());
const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.id");

type Fault = { delayMs?: number; containing?: string };

async function provider(method: "POST" | "DELETE", fault?: Fault) {
  const body = fault && JSON.stringify(fault);
  const headers = { "content-type": "application/json" };
  const url = `http://127.0.0.1:${stack.ports.http}/local/openai/faults`;
  const answer = await fetch(url, { method, ...(body ? { body, headers } : {}) });
  if (!answer.ok) throw new Error(await answer.text());
}

const insertPost = (title: string) =>
  stack.query("insert into posts (title, body, author) values ($1, 'Robots will cook.', 'Alice')", [title]);

/** Marks the document, to check later that it is still the same one. */
async function markDocument() {
  await page.evaluate("window.sameDocument = true");
  return () => page.evaluate("window.sameDocument === true");
}

/** Tests of the status page. */
export function itShowsTheStatus(given: () => InBrowser): void {
  beforeEach(() => {
    ({ stack, browser, page } = given());
  });

  it("shows a new post as pending, leads to its run, and counts it once it is embedded, without a reload", async () => {
    await page.goto("/");
    await page.getByRole("heading", { name: /^All \d+ posts are embedded$/ }).waitFor();
    const embedded = await embeddedNow();
    const isSameDocument = await markDocument();
    await provider("POST", { delayMs: 20_000 });
    await insertPost("The kitchen of tomorrow");
    await rowOf("The kitchen of tomorrow").getByText("Pending").waitFor();
    await until(async () => (await countOf("Pending").textContent()) === "1");
    const link = rowOf("The kitchen of tomorrow").getByRole("link");
    const [run, address] = [await link.getAttribute("title"), await link.getAttribute("href")];
    expect(run).toMatch(/^run_/);
    await provider("DELETE");
    await rowOf("The kitchen of tomorrow").waitFor({ state: "detached" });
    await until(async () => (await embeddedNow()) === embedded + 1);
    expect(await isSameDocument()).toBe(true);
    await page.goto(address ?? "");
    expect(new URL(page.url()).port).toBe(String(stack.ports.http));
    await page
      .getByText(run ?? "")
      .filter({ visible: true })
      .first()
      .waitFor();
    await page.getByText("create-embedding-for-post").first().waitFor();
  });

  it("shows a failed post with the provider's message, and retries it with a button", async () => {
    await page.goto("/");
    await provider("POST", { containing: "The post that fails" });
    await insertPost("The post that fails");
    await page.getByRole("heading", { name: "1 post could not be embedded" }).waitFor();
    await rowOf("The post that fails").getByText("Failed").waitFor();
    await rowOf("The post that fails").getByText("tried once, again in").waitFor();
    expect(await countOf("Failed").textContent()).toBe("1");
    await keepScreenshot(page, "status-failed");
    await provider("DELETE");
    await page.getByRole("button", { name: "Retry the failed posts now" }).click();
    await rowOf("The post that fails").waitFor({ state: "detached" });
    await page.getByRole("heading", { name: /^All \d+ posts are embedded$/ }).waitFor();
  });

  it("shows each step of a deletion, and no address", async () => {
    await page.goto("/");
    await stack.query("delete from users where first_name = 'John'");
    const steps = page.getByRole("table", { name: /deletions/ }).getByRole("listitem");
    await steps.filter({ hasText: "crm done" }).waitFor();
    await steps.filter({ hasText: "e-mail done" }).waitFor();
    expect(await page.content()).not.toContain("john.doe");
  });

  it("can be used by keyboard alone, and shows where the focus is", async () => {
    await page.goto("/");
    await page.locator('.refresh[data-state="live"]').waitFor();
    const stops: unknown[] = [];
    for (let stop = 0; stop < 4; stop += 1) {
      await page.keyboard.press("Tab");
      stops.push(await focused());
      const outline = "getComputedStyle(document.activeElement).outlineStyle";
      expect(await page.evaluate(outline)).toBe("solid");
    }
    expect(stops).toEqual(["Aftercommit", "Pause updates", "q", "Search"]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.type("dog obedience");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\?q=dog/);
    expect(await page.getByRole("listitem").getByRole("heading").first().textContent()).toBe(
      "Training a puppy",
    );
  });

  it("stops its updates with a button, and resumes them with another", async () => {
    await page.goto("/");
    const embedded = await embeddedNow();
    const pause = page.getByRole("button", { name: "Pause updates" });
    await pause.click();
    await page.getByText("Paused").waitFor();
    await insertPost("Written in a pause");
    await everyPostEmbedded(stack);
    // As long as two updates would take.
    await page.waitForTimeout(4_500);
    expect(await embeddedNow()).toBe(embedded);
    await pause.click();
    await until(async () => (await embeddedNow()) === embedded + 1);
  });

  it("keeps typed text and selections", async () => {
    await page.goto("/");
    const embedded = await embeddedNow();
    await page.getByRole("heading", { name: "public.posts" }).selectText();
    await insertPost("Written during a selection");
    await everyPostEmbedded(stack);
    await page.waitForTimeout(4_500);
    expect(await page.evaluate("document.getSelection().toString()")).toBe("public.posts");
    expect(await embeddedNow()).toBe(embedded);
    await page.getByRole("searchbox").fill("half a sent");
    await page.getByText("by the words of “half a sent”").waitFor();
    await page.waitForResponse(/_rsc=/);
    expect(await page.getByRole("searchbox").inputValue()).toBe("half a sent");
    await page.getByText("by the words of “half a sent”").waitFor();
    await page.getByRole("searchbox").press("Escape");
    await until(async () => (await embeddedNow()) === embedded + 1);
  });

  it("keeps trying while the server is down", async () => {
    await page.goto("/");
    await page.context().setOffline(true);
    await page.getByText("No connection; trying again").waitFor();
    await page.context().setOffline(false);
    await page.getByText("Live").waitFor();
    await page.getByRole("heading", { name: "public.posts" }).waitFor();
  });

  it("leads back from a page that does not exist", async () => {
    const answer = await page.goto("/posts");
    expect(answer?.status()).toBe(404);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    await page.getByRole("link", { name: "Back to the status" }).click();
    await page.getByRole("heading", { name: "public.posts" }).waitFor();
  });

  it("works without JavaScript", async () => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      baseURL: `http://127.0.0.1:${stack.ports.app}`,
    });
    const plain = await context.newPage();
    await plain.goto("/");
    await plain.getByRole("heading", { name: /^All \d+ posts are embedded$/ }).waitFor();
    expect(await plain.getByRole("button", { name: "Pause updates" }).count()).toBe(0);
    await plain.getByRole("searchbox").fill("dog obedience");
    await plain.getByRole("button", { name: "Search" }).click();
    await plain.getByRole("heading", { name: "Training a puppy" }).waitFor();
    await context.close();
  });

  itLooksRight({ status: "/" }, () => page);
}
