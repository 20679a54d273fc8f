import { rm } from "node:fs/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { cloneProject } from "../stack/clone.ts";
import { choosePorts, DevStack } from "../stack/dev-stack.ts";
import { everyPostEmbedded } from "../stack/embeddings.ts";
import { launchChromium } from "./launch-chromium.ts";

type InBrowser = { stack: DevStack; browser: Browser; page: Page };

type Options = {
  env?: Record<string, string>;
  /** What the pages show, by its address. Default: the app. */
  baseUrl?: (stack: DevStack) => string;
};

/**
 * `npm run dev` in a clone, with every sample post embedded, and a page in a new browser context for each test, which
 * `use` gets before the test.
 */
export function stackInBrowser(
  use: (given: InBrowser) => void,
  { env, baseUrl = ({ ports }) => `http://127.0.0.1:${ports.app}` }: Options = {},
): void {
  let folder: string;
  let stack: DevStack;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = cloneProject();
    stack = new DevStack(folder, await choosePorts(), env);
    [browser] = await Promise.all([launchChromium(), stack.ready()]);
    await everyPostEmbedded(stack);
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.interrupt();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    page = await browser.newPage({ baseURL: baseUrl(stack), viewport: { width: 1_200, height: 900 } });
    // `next dev` compiles on the first visit.
    page.context().setDefaultTimeout(60_000);
    use({ stack, browser, page });
  });
  afterEach(() => page.context().close());
}
