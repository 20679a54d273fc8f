import { resolve } from "node:path";
import * as externalSystem from "@aftercommit/local-external-system";
import * as mail from "@aftercommit/local-mail";
import * as openai from "@aftercommit/local-openai";
import * as postgres from "@aftercommit/local-postgres";
import * as sequin from "@aftercommit/local-sequin";
import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pages, RunningPart } from "@aftercommit/local-shared/part.ts";
import * as trigger from "@aftercommit/local-trigger";
import { localDatabaseUrl, TRIGGER_ACCESS_TOKEN, TRIGGER_SECRET_KEY, type Variables } from "./emulators.ts";
import { realServices } from "./real-services.ts";
import { runsFolder } from "./runs-folder.ts";
import type { Part, Settings } from "./settings.ts";

export type StackOptions = {
  parts: readonly Part[];
  settings: Settings;
  variables: Variables;
  log: (part: string) => Log;
};

/**
 * The external system costs nothing, and is only notified of deletions in the local database, so it runs in every
 * stack.
 */
export type Name = Part | "externalSystem";

const HOST = "127.0.0.1";

// About as long as two cores take to start a process.
const PROCESS_PATIENCE_MS = 1_000;

/** How to start each part. */
export function startersFor({ settings, variables, log }: StackOptions) {
  const { dataDir, ports, embeddingModel, embeddingLimits, triggerRequestsPerMinute } = settings;
  const folder = (name: string) => resolve(dataDir, name);
  return {
    postgres: () =>
      postgres.start({ dataDir: folder("postgres"), host: HOST, port: ports.postgres, log: log("postgres") }),
    trigger: () =>
      trigger.start({
        dataDir: runsFolder(settings, variables),
        limits: { processPatienceMs: PROCESS_PATIENCE_MS },
        requestsPerMinute: triggerRequestsPerMinute,
        url: () => `http://${HOST}:${ports.http}`,
        secretKey: TRIGGER_SECRET_KEY,
        accessToken: TRIGGER_ACCESS_TOKEN,
        log: log("trigger"),
      }),
    openai: () => openai.start({ model: embeddingModel, limits: embeddingLimits, log: log("openai") }),
    mail: () => mail.start({ host: HOST, port: ports.smtp, dataDir: folder("mail"), log: log("mail") }),
    externalSystem: () =>
      externalSystem.start({
        secret: variables.USER_DELETION_WEBHOOK_SECRET ?? "",
        dataDir: folder("external-system"),
        log: log("external"),
      }),
    sequin: () =>
      sequin.start({
        // Its triggers are for this database only.
        databaseUrl: localDatabaseUrl(settings),
        configPath: resolve("sequin.yaml"),
        env: variables,
        log: log("sequin"),
      }),
  } satisfies Record<Name, () => Promise<RunningPart>>;
}

/** What the console shows: the pages of each part that runs here, and where to look for each that does not. */
export function pagesOf(
  running: ReadonlyMap<Name, RunningPart>,
  { parts, variables }: Pick<StackOptions, "parts" | "variables">,
): Pages[] {
  const elsewhere = realServices(parts, variables);
  const calls = elsewhere.externalSystem ? undefined : running.get("externalSystem")?.pages;
  return [
    running.get("trigger")?.pages ?? trigger.absent(elsewhere.trigger),
    running.get("sequin")?.pages ?? sequin.absent(),
    running.get("openai")?.pages ?? openai.absent(elsewhere.openai),
    running.get("mail")?.pages ?? mail.absent(elsewhere.mail),
    calls ?? externalSystem.absent(elsewhere.externalSystem),
  ];
}
