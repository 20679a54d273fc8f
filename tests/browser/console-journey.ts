import type { Page } from "playwright-core";
import { beforeEach, expect, test } from "vitest";
import { keepScreenshot } from "../helpers/browser/chromium.ts";
import type { InBrowser } from "../helpers/browser/stack-in-browser.ts";
import type { DevStack } from "../helpers/stack/dev-stack.ts";
import { until } from "../helpers/until.ts";

let stack: DevStack;
let page: Page;

const consoleUrl = () => `http://127.0.0.1:${stack.ports.http}`;

async function setFault(method: "POST" | "DELETE", fault?: object): Promise<void> {
  const answer = await fetch(`${consoleUrl()}/local/openai/faults`, {
    method,
    ...(fault && { body: JSON.stringify(fault) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Tests of the console. */
export function itShowsEachStep(given: () => InBrowser): void {
  beforeEach(() => {
    ({ stack, page } = given());
  });

  test("a run that the provider rejected is opened, replayed, and succeeds", async () => {
    // The drain of the sample rows lingers. If it took the edit, its requests would fail instead of those of the edit's
    // own run.
    await until(async () => (await stack.query("select from aftercommit.drains")).length === 0, {
      everyMs: 100,
      what: "the end of the drain",
    });
    await setFault("POST", { status: 401 });
    const [post] = await stack.query<{ id: string }>(
      "insert into posts (title, body, author) values ('Refused', 'At first.', 'Alice') returning id",
    );
    await page.goto(`${consoleUrl()}/runs?tag=post:${post?.id}&status=FAILED`);
    const failed = await page
      .getByRole("row")
      .getByText(/^run_\w+$/)
      .textContent();
    await setFault("DELETE");

    await page.goto(`${consoleUrl()}/projects/v3/proj_local/runs/${failed}`);
    await page.getByRole("status").getByText("Failed").waitFor();
    await page
      .getByRole("region", { name: "Stack trace" })
      .getByText(/\bat \S+/)
      .first()
      .waitFor();
    await page.getByRole("region", { name: "Logs and spans" }).getByText("Attempt 1").waitFor();
    await keepScreenshot(page, "console-journey-failed");
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("Replay of").waitFor();
    // An unauthorized key pauses the model for every run.
    await page.getByRole("status").getByText("Completed").waitFor({ timeout: 60_000 });
    await page.getByRole("region", { name: "Output" }).first().getByText('"status": "embedded"').waitFor();
    const rows = await stack.query("select 1 from post_embeddings where post_id = $1", [post?.id]);
    expect(rows).toHaveLength(1);
  });

  test("a deleted user's runs, calls and confirmation e-mail are all visible", async () => {
    const [user] = await stack.query<{ id: string; email: string }>("select id, email from users limit 1");
    const mails = page.getByRole("row", { name: user?.email });
    await page.goto(`${consoleUrl()}/mails`);
    await page.getByRole("heading", { name: "Mails" }).waitFor();
    expect(await mails.count()).toBe(0);
    await stack.query("delete from users where id = $1", [user?.id]);
    await mails.getByRole("link", { name: "Your account has been deleted" }).click();
    await page
      .getByText(user?.email ?? "")
      .first()
      .waitFor();
    await page
      .frameLocator("iframe")
      .getByText(user?.id ?? "")
      .waitFor();

    await page.goto(`${consoleUrl()}/runs?tag=user:${user?.id}&task=user-deletion-cleanup`);
    await page.getByRole("link", { name: "user-deletion-cleanup" }).click();
    await page.getByRole("status").getByText("Completed").waitFor();
    const children = page.getByRole("region", { name: "Child runs" });
    await children.getByRole("link", { name: "send-deletion-confirmation" }).waitFor();
    await page.goto(`${consoleUrl()}/external-system`);
    await page.getByRole("row", { name: user?.id }).waitFor();
    await page.goto(`${consoleUrl()}/deliveries?sink=users-deletion`);
    await page.getByRole("link", { name: `delete public.users:${user?.id}` }).click();
    await page.getByRole("region", { name: "Message" }).first().getByText('"action": "delete"').waitFor();
    await keepScreenshot(page, "console-journey-deletion");
  });
}
