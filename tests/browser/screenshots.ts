// Takes the pictures of docs/images from a new stack: `npm run screenshots`.
import { mkdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../helpers/browser/launch-chromium.ts";
import { cloneProject } from "../helpers/clone.ts";
import { choosePorts, DevStack } from "../helpers/stack/dev-stack.ts";
import { everyPostEmbedded } from "../helpers/stack/embeddings.ts";

const IMAGES = resolve(import.meta.dirname, "../../docs/images");

/** What the pictures show in addition to the sample rows: a new post, and a deleted user. */
async function makeWork(stack: DevStack): Promise<void> {
  await stack.query(
    "insert into posts (title, body, author) values ('The kitchen of tomorrow', 'Robots will cook.', 'Alice H Johnson')",
  );
  await stack.query("delete from users where first_name = 'John'");
  await everyPostEmbedded(stack);
}

async function capture(page: Page, name: string): Promise<void> {
  const path = join(IMAGES, `${name}.png`);
  await page.screenshot({ path, fullPage: true });
  process.stdout.write(`docs/images/${name}.png  ${Math.ceil((await stat(path)).size / 1024)} kB\n`);
}

async function captureBoth(browser: Browser, { ports }: DevStack, scheme: "light" | "dark"): Promise<void> {
  const suffix = scheme === "dark" ? "-dark" : "";
  const page = await browser.newPage({
    colorScheme: scheme,
    viewport: { width: 1_120, height: 560 },
    deviceScaleFactor: 1.25,
  });
  page.setDefaultTimeout(120_000);
  await page.goto(`http://127.0.0.1:${ports.app}`);
  await page.getByText(/^All \d+ posts are embedded$/).waitFor();
  await page.locator('.refresh[data-state="live"]').waitFor();
  await page.getByText("e-mail done").waitFor();
  await capture(page, `status-page${suffix}`);
  await page.goto(`http://127.0.0.1:${ports.http}`);
  await page.getByText("send-deletion-confirmation").waitFor();
  await capture(page, `console${suffix}`);
  await page.close();
}

const folder = cloneProject();
const stack = new DevStack(folder, await choosePorts(), { LOCAL_EMBEDDING_MODEL: "hashing" });
try {
  await mkdir(IMAGES, { recursive: true });
  await stack.ready();
  await everyPostEmbedded(stack);
  await makeWork(stack);
  const browser = await launchChromium();
  for (const scheme of ["light", "dark"] as const) await captureBoth(browser, stack, scheme);
  await browser.close();
} finally {
  await stack.interrupt();
  await rm(folder, { recursive: true, force: true });
}
