import { resolve } from "node:path";
import { Hono } from "hono";
import { createConsole } from "./console/console.tsx";
import { startExternalSystem } from "./external-system/start.ts";
import { startHttpServer } from "./http-server.ts";
import type { Log } from "./log.ts";
import { startMail } from "./mail/start.ts";
import { startOpenAI } from "./openai/start.ts";
import { startPostgres } from "./postgres/start.ts";
import { realServices } from "./real-services.ts";
import { runsFolder } from "./runs-folder.ts";
import { type Sequin, startSequin } from "./sequin/start.ts";
import type { Part, Settings } from "./settings.ts";
import { TRIGGER_ACCESS_TOKEN, TRIGGER_SECRET_KEY, type Variables } from "./stand-ins.ts";
import { startTrigger } from "./trigger/start.ts";

export type Stack = {
  /** Starts capture and delivery: the last to start, since it needs the database's tables and calls the app. */
  startSequin(): Promise<void>;
  close(): Promise<void>;
};

type Options = {
  parts: readonly Part[];
  settings: Settings;
  variables: Variables;
  log: (part: string) => Log;
};

const HOST = "127.0.0.1";

// About as long as two cores take to start a process.
const PROCESS_PATIENCE_MS = 1_000;

/** Starts the given parts of the local stack and resolves when they serve; Sequin waits for its own call. */
export async function startStack({ parts, settings, variables, log }: Options): Promise<Stack> {
  const { dataDir, ports } = settings;
  const closers: (() => Promise<void>)[] = [];
  const opened = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    closers.unshift(() => part.close());
    return part;
  };
  const has = (part: Part) => parts.includes(part);
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };

  let sequin: Sequin | undefined;
  const start = async () => {
    if (has("postgres"))
      await opened(
        startPostgres({
          dataDir: resolve(dataDir, "postgres"),
          host: HOST,
          port: ports.postgres,
          log: log("postgres"),
        }),
      );
    const trigger = has("trigger")
      ? await opened(
          startTrigger({
            dataDir: runsFolder(settings, variables),
            limits: { processPatienceMs: PROCESS_PATIENCE_MS },
            url: () => `http://${HOST}:${ports.http}`,
            secretKey: TRIGGER_SECRET_KEY,
            accessToken: TRIGGER_ACCESS_TOKEN,
            log: log("trigger"),
          }),
        )
      : undefined;
    const openai = has("openai")
      ? await opened(
          startOpenAI({
            model: settings.embeddingModel,
            limits: settings.embeddingLimits,
            log: log("openai"),
          }),
        )
      : undefined;
    const mailOptions = { host: HOST, port: ports.smtp, dataDir: resolve(dataDir, "mail"), log: log("mail") };
    const mail = has("mail") ? await opened(startMail(mailOptions)) : undefined;
    const secret = variables.USER_DELETION_WEBHOOK_SECRET ?? "";
    const external = await opened(
      startExternalSystem({ secret, dataDir: resolve(dataDir, "external-system"), log: log("external") }),
    );

    const elsewhere = realServices(parts, variables);
    const app = new Hono();
    for (const part of [trigger, openai, mail, external]) if (part) app.route("/", part.app);
    const pages = createConsole(
      {
        trigger,
        ...(has("sequin") && { sequin: () => sequin }),
        mail: mail?.mailbox,
        externalSystem: elsewhere.externalSystem ? undefined : external.calls,
        openai,
        elsewhere,
      },
      log("console"),
    );
    app.route("/", pages);
    const http = await opened(startHttpServer(ports.http, app));
    trigger?.attach(http.server);
  };

  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async startSequin() {
      if (!has("sequin")) return;
      const databaseUrl = variables.DATABASE_URL ?? "";
      const configPath = resolve("sequin.yaml");
      // Only the local database belongs to the stack, and stops with it.
      const detachOnClose = !has("postgres");
      sequin = await opened(
        startSequin({ databaseUrl, configPath, env: variables, log: log("sequin"), detachOnClose }),
      );
    },
    close,
  };
}
