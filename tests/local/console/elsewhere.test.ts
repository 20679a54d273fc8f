import { expect, it } from "vitest";
import { createConsole } from "../../../local/console/console.tsx";

it("links the overview to the real service of each part that is not local", async () => {
  const href = "https://cloud.trigger.dev/projects/v3/proj_x";
  const elsewhere = {
    trigger: { name: "cloud.trigger.dev", href },
    mail: { name: "mail.example.com:587" },
    externalSystem: { name: "crm.example.com" },
  };
  const page = await createConsole({ elsewhere }, () => {}).request("http://127.0.0.1/");
  const html = await page.text();
  expect(html).toContain(`<a href="${href}">cloud.trigger.dev</a>`);
  expect(html).toContain("Not running here: mail.example.com:587");
  expect(html).toContain("Not running here: crm.example.com");
  expect(html).toContain("Not running here: another server makes the embeddings.");
});
