import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configure } from "@trigger.dev/sdk";
import { Hono } from "hono";
import { createTransport } from "nodemailer";
import { createConsole } from "../../../local/console/console.tsx";
import type { ConsoleParts } from "../../../local/console/parts.ts";
import { startExternalSystem } from "../../../local/external-system/start.ts";
import { startHttpServer } from "../../../local/http-server.ts";
import { startMail } from "../../../local/mail/start.ts";
import { startTrigger } from "../../../local/trigger/start.ts";
import { Worker } from "../trigger/helpers/worker.ts";

const SECRET_KEY = "tr_dev_local";

/** The console with the real Trigger.dev stand-in, mail catcher and external system, on a free port of loopback. */
export async function startConsoleStack(parts: ConsoleParts = {}) {
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
  const pages = { trigger, mail: mail.mailbox, externalSystem: external.calls, ...parts };
  app.route("/", createConsole(pages, log));
  const http = await startHttpServer(0, app);
  url = http.url;
  trigger.attach(http.server);
  configure({ baseURL: url, accessToken: SECRET_KEY });

  return {
    url,
    secret,
    trigger,
    worker: new Worker(url),
    transport: createTransport(mail.url),
    async get(path: string) {
      const response = await fetch(`${url}${path}`, { redirect: "manual" });
      return { status: response.status, headers: response.headers, html: await response.text() };
    },
    /** Sends a form as a browser does from one of the console's own pages, unless the headers say otherwise. */
    async post(
      path: string,
      form: Record<string, string> = {},
      headers: Record<string, string> = { origin: url },
    ) {
      const body = new URLSearchParams(form);
      const response = await fetch(`${url}${path}`, { method: "POST", body, headers, redirect: "manual" });
      return {
        status: response.status,
        location: response.headers.get("location"),
        text: await response.text(),
      };
    },
    async close() {
      await http.close();
      await mail.close();
      await trigger.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

export type ConsoleStack = Awaited<ReturnType<typeof startConsoleStack>>;

/** What a reader sees of a page: its text without tags, on one line. */
export function textOf(html: string): string {
  const main = /<main[^>]*>(.*)<\/main>/s.exec(html)?.[1] ?? "";
  const entities: Record<string, string> = {
    "&lt;": "<",
    "&gt;": ">",
    "&amp;": "&",
    "&quot;": '"',
    "&#39;": "'",
  };
  return main
    .replace(/<[^>]*>/g, " ")
    .replace(/&(lt|gt|amp|quot|#39);/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, " ")
    .trim();
}
