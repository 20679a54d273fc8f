import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPages } from "@aftercommit/local-console/tests/open-pages.ts";
import type { Pages } from "@aftercommit/local-shared/part.ts";
import { configure } from "@trigger.dev/sdk";
import { Hono } from "hono";
import { createTransport } from "nodemailer";
import { callPages } from "../../external-system/console.tsx";
import { startExternalSystem } from "../../external-system/start.ts";
import { mailPages } from "../../mail/console/pages.tsx";
import { startMail } from "../../mail/start.ts";
import { absentDeliveryPages } from "../../sequin/console/pages.tsx";
import { runPages } from "../../trigger/console/pages.tsx";
import { startTrigger } from "../../trigger/start.ts";
import { Worker } from "../../trigger/tests/helpers/worker.ts";

const SECRET_KEY = "tr_dev_local";

/** The console with the emulators of Trigger.dev, the mail server and the external system, on a free loopback port. */
export async function startConsoleStack({ deliveries = absentDeliveryPages() }: { deliveries?: Pages } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), "console-"));
  const log = () => {};
  let url = "";
  const trigger = await startTrigger({
    dataDir,
    url: () => url,
    secretKey: SECRET_KEY,
    accessToken: "tr_pat_local",
    log,
  });
  const mail = await startMail({ host: "127.0.0.1", port: 0, log });
  const secret = `whsec_${Buffer.from("a secret of the tests").toString("base64")}`;
  const external = await startExternalSystem({ secret, log });
  const app = new Hono();
  for (const part of [trigger, mail, external]) app.route("/", part.app);
  const pages = [runPages(trigger), deliveries, mailPages(mail.mailbox), callPages(external.calls)];
  const site = await openPages(pages, app);
  url = site.url;
  trigger.attach(site.server);
  configure({ baseURL: url, accessToken: SECRET_KEY });

  return {
    ...site,
    secret,
    trigger,
    worker: new Worker(url),
    transport: createTransport(mail.url),
    async close() {
      configure({});
      await site.close();
      await mail.close();
      await trigger.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type ConsoleStack = Awaited<ReturnType<typeof startConsoleStack>>;
