import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configure, tasks } from "@trigger.dev/sdk";
import { startTrigger } from "../../../emulators/trigger/start.ts";
import { removeProject, startCli } from "../../../emulators/trigger/tests/suite/cli.ts";
import { startSmtp } from "../deletions/smtp.ts";
import { serve } from "../serve.ts";
import { copyTasks } from "../task-project.ts";

const KEYS = { secretKey: "tr_dev_capture", accessToken: "tr_pat_capture" };
const OF_DELETIONS = /^(user-deletion-cleanup|send-deletion-confirmation|resume-user-deletions)\.ts$/;

/** Trigger.dev, its CLI with the tasks of deletions only, and a mail server that keeps everything. */
export async function startDeletionTasks(databaseUrl: string) {
  const dataDir = await mkdtemp(join(tmpdir(), "deletion-tasks-"));
  let url = "";
  // As with `npm run dev`: a process per run would take a second of a core.
  const limits = { processPatienceMs: 1_000 };
  const trigger = await startTrigger({ dataDir, limits, url: () => url, ...KEYS, log: () => {} });
  const http = await serve([trigger.app], trigger.attach);
  url = http.url;
  const smtp = await startSmtp();
  const project = await copyTasks({
    DATABASE_URL: databaseUrl,
    SMTP_URL: smtp.url,
    MAIL_FROM: "no-reply@example.com",
    USER_DELETION_WEBHOOK_URLS: "none",
  });
  for (const file of await readdir(join(project, "trigger")))
    if (!OF_DELETIONS.test(file)) await rm(join(project, "trigger", file));
  const cli = await startCli(project, { apiUrl: url, projectRef: "proj_capture", ...KEYS });
  configure({ baseURL: url, accessToken: KEYS.secretKey });
  return {
    url,
    output: cli.output,
    mailsTo: (address: string) => smtp.messagesTo(address).length,
    /** What the schedule does every ten minutes. */
    async resume(): Promise<void> {
      const now = {
        type: "IMPERATIVE",
        timestamp: new Date(),
        timezone: "UTC",
        scheduleId: "x",
        upcoming: [],
      };
      await tasks.trigger("resume-user-deletions", now);
    },
    async close(): Promise<void> {
      await cli.stop();
      await http.close();
      await Promise.all([trigger.close(), smtp.close()]);
      await Promise.all([removeProject(project), rm(dataDir, { recursive: true })]);
    },
  };
}
