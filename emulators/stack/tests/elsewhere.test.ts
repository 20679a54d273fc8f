import { createConsole } from "@aftercommit/local-console/console.tsx";
import { expect, it } from "vitest";
import { pagesOf } from "../starters.ts";

it("links the overview to the real service of each part that is not local", async () => {
  const variables = {
    TRIGGER_SECRET_KEY: "tr_dev_x",
    TRIGGER_PROJECT_REF: "proj_x",
    SMTP_URL: "smtp://mail.example.com:587",
    USER_DELETION_WEBHOOK_URLS: "https://crm.example.com/deleted",
  };
  const pages = pagesOf(new Map(), { parts: [], variables });
  const page = await createConsole(pages, () => {}).request("http://127.0.0.1/");
  const html = await page.text();
  expect(html).toContain('<a href="https://cloud.trigger.dev/projects/v3/proj_x">cloud.trigger.dev</a>');
  expect(html).toContain("Not running here: mail.example.com:587");
  expect(html).toContain("Not running here: crm.example.com");
  expect(html).toContain("Not running here.");
});
