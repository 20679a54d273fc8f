import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { users } from "../../../aftercommit.config.ts";
import type { Database } from "../../../packages/aftercommit/src/db/client.ts";
import { cleanUpSystem } from "../../../packages/aftercommit/src/deletions/clean-up-system.ts";
import {
  type DeletionSteps,
  finishDeletion,
} from "../../../packages/aftercommit/src/deletions/finish-deletion.ts";
import { readReceiptKey } from "../../../packages/aftercommit/src/deletions/receipt-key.ts";
import { receiptOf, verifyReceipt } from "../../../packages/aftercommit/src/deletions/receipts.ts";
import { sendConfirmation } from "../../../packages/aftercommit/src/deletions/send-confirmation.ts";
import { sendMail } from "../../../packages/aftercommit/src/deletions/send-mail.ts";
import { webhook } from "../../../packages/aftercommit/src/deletions/webhook.ts";
import { ENVIRONMENT, recordedDeletion } from "./recorded-deletion.ts";
import type { Received, startSystem } from "./system-server.ts";

const { signal } = new AbortController();

export type SystemMode = "clean" | "failing" | "lying" | "missing" | "holding";

type Options = { db: Database; system: Awaited<ReturnType<typeof startSystem>> };

/** One user, one system that has their data, and runs in this process. `violations` has what must never happen. */
export function outcomeWorld({ db, system }: Options) {
  const userId = randomUUID();
  const email = `${userId}@example.com`;
  const violations: string[] = [];
  const state = { mode: "clean" as SystemMode, exists: false, known: true, runs: 0, last: "" };

  system.behave(({ body }: Received) => {
    if (state.exists) violations.push(`the system was notified of a user who exists: ${body}`);
    if (state.mode === "failing") return { status: 500 };
    if (body.includes("deletion_verify"))
      return { status: 200, body: JSON.stringify({ found: state.known }) };
    if (state.mode !== "lying") state.known = false;
    return { status: 204 };
  });

  const declaration = () => ({
    ...users,
    systems: state.mode === "missing" ? [] : [webhook({ name: "crm", url: system.url, verify: true })],
  });
  const context = () => ({
    db,
    declarations: [declaration()],
    send: async (...args: Parameters<typeof sendMail>) => {
      if (state.exists) violations.push("a user who exists was written to");
      if (state.known) violations.push("a user whom the system still knows was written to");
      await sendMail(...args);
    },
  });

  function stepsOf(deletionId: string, runId: string): DeletionSteps {
    const run = { deletionId, runId, environment: ENVIRONMENT, signal };
    return {
      async cleanUp(names) {
        const attempts = names.map((name) => cleanUpSystem({ ...run, system: name }, context()));
        const results = await Promise.allSettled(attempts);
        return results.flatMap((result, index) =>
          result.status === "rejected"
            ? [{ system: names[index] ?? "", error: String(result.reason.message) }]
            : [],
        );
      },
      confirm: async () => void (await sendConfirmation(run, context())),
    };
  }

  return {
    userId,
    email,
    state,
    violations,
    declaration,
    async insertUser() {
      await db.execute(sql`
        insert into users (id, first_name, last_name, email) values (${userId}, 'Ann', 'Doe', ${email})`);
      state.exists = true;
    },
    async deleteUser() {
      await db.execute(sql`delete from users where id = ${userId}`);
      state.exists = false;
    },
    /** Records the deletion like the route. */
    record: () => recordedDeletion(db, { userId, email, systems: ["crm"] }),
    /** Starts a run after the previous one has ended. Resolves with its status, or why it failed. */
    async run(deletionId: string): Promise<string> {
      state.runs += 1;
      const runId = `run_${userId}_${state.runs}`;
      // Another run's claim is free after two minutes.
      await db.execute(sql`update aftercommit.deletions
        set confirmation_claimed_at = confirmation_claimed_at - interval '3 minutes' where id = ${deletionId}`);
      const run = { source: "user", deletionId, runId, environment: ENVIRONMENT };
      const work = { db, declaration: declaration(), stepsOf: () => stepsOf(deletionId, runId) };
      return finishDeletion(run, { ...work, statusOf: async () => "FAILED" }).then(
        ({ status }) => status,
        (error: Error) => error.message,
      );
    },
    async receiptState(deletionId: string): Promise<string> {
      const key = await readReceiptKey();
      return (await verifyReceipt((await receiptOf(db, key, deletionId)) ?? "", key)).state;
    },
  };
}
