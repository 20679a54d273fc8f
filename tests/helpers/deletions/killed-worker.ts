// A process that works on one deletion like a run, and is killed: node --import tsx killed-worker.ts ID RUN
import { users } from "../../../aftercommit.config.ts";
import { database } from "../../../packages/aftercommit/src/db/database.ts";
import { cleanUpSystem } from "../../../packages/aftercommit/src/deletions/clean-up-system.ts";
import { finishDeletion } from "../../../packages/aftercommit/src/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../../packages/aftercommit/src/deletions/send-confirmation.ts";
import { sendMail } from "../../../packages/aftercommit/src/deletions/send-mail.ts";
import { webhook } from "../../../packages/aftercommit/src/deletions/webhook.ts";
import { ENVIRONMENT } from "./recorded-deletion.ts";

const [deletionId = "", runId = ""] = process.argv.slice(2);
const db = database();
const declaration = {
  ...users,
  systems: [webhook({ name: "crm", url: process.env.SYSTEM_URL ?? "", verify: true })],
};
const run = { deletionId, runId, environment: ENVIRONMENT };
const step = { ...run, signal: new AbortController().signal };
const context = { db, declarations: [declaration], send: sendMail };

await finishDeletion(
  { ...run, source: "user" },
  {
    db,
    declaration,
    stepsOf: () => ({
      async cleanUp(names) {
        for (const system of names) await cleanUpSystem({ ...step, system }, context);
        return [];
      },
      confirm: async () => void (await sendConfirmation(step, context)),
    }),
    statusOf: async () => "EXECUTING",
  },
);
process.exit();
