import { rm } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { cloneProject } from "../clone.ts";
import { choosePorts, DevStack } from "../stack/dev-stack.ts";
import { everyPostEmbedded } from "../stack/embeddings.ts";
import { launchChromium } from "./launch-chromium.ts";

export type InBrowser = { stack: DevStack; browser: Browser; page: Page };

/**
 * `npm run dev` in a clone, with every sample post embedded, and a page of the app in a new browser context for each
 * test.
 */
export function stackInBrowser(): () => InBrowser {
  let folder: string;
  let stack: DevStack;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = cloneProject();
    stack = new DevStack(folder, await choosePorts());
    [browser] = await Promise.all([launchChromium(), stack.ready()]);
    await everyPostEmbedded(stack);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.interrupt();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    const baseURL = `http://127.0.0.1:${stack.ports.app}`;
    page = await browser.newPage({ baseURL, viewport: { width: 1_200, height: 900 } });
    // `next dev` compiles on the first visit.
    page.context().setDefaultTimeout(60_000);
  });
  afterEach(() => page.context().close());
  return () => ({ stack, browser, page });
}
