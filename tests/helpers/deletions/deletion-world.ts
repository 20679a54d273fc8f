import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { users } from "../../../aftercommit.config.ts";
import type { DeletionDeclaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import type { Duration } from "../../../packages/aftercommit/src/declare/duration.ts";
import type { ExternalSystem } from "../../../packages/aftercommit/src/declare/external-system.ts";
import { cleanUpSystem } from "../../../packages/aftercommit/src/deletions/clean-up-system.ts";
import { StepError } from "../../../packages/aftercommit/src/deletions/errors.ts";
import {
  type DeletionSteps,
  finishDeletion,
} from "../../../packages/aftercommit/src/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../../packages/aftercommit/src/deletions/send-confirmation.ts";
import { startDatabase } from "./deletions-database.ts";
import { ENVIRONMENT, recordedDeletion } from "./recorded-deletion.ts";

const { signal } = new AbortController();

type Options = {
  broken?: Set<string>;
  /** The systems' grace periods, by name. */
  after?: Record<string, Duration>;
  email?: string | null;
  userId?: string;
  declaration?: DeletionDeclaration;
};

/** A database for the tests of a file, and worlds that each finish another deletion. */
export function worldsForTests() {
  let database: Awaited<ReturnType<typeof startDatabase>>;

  beforeAll(async () => {
    database = await startDatabase();
  });
  afterAll(() => database.close());

  beforeEach(() => {
    vi.stubEnv("MAIL_FROM", "no-reply@example.com");
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "none");
    for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  /** Systems, steps in this process, runs with known statuses, and the order of what was done. */
  function world({
    broken = new Set<string>(),
    email = "to@example.com",
    userId = randomUUID(),
    after = {},
    declaration: declared = users,
  }: Options = {}) {
    const events: string[] = [];
    const keys: string[] = [];
    const system = (name: string): ExternalSystem => ({
      name,
      ...(after[name] && { after: after[name] }),
      async cleanUp({ idempotencyKey }) {
        events.push(name);
        keys.push(idempotencyKey);
        if (broken.has(name)) throw new StepError(`${name} is down`);
      },
    });
    const configured = ["crm", "billing"];
    const statuses: Record<string, string> = {};
    const declaration = () => ({ ...declared, systems: configured.map(system) });
    const context = () => ({
      db: database.db,
      declarations: [declaration()],
      send: async ({ messageId }: { messageId: string }) => {
        events.push("mail");
        keys.push(messageId);
      },
    });
    const stepsOf = (deletionId: string, runId: string): DeletionSteps => {
      const run = { deletionId, runId, environment: ENVIRONMENT, signal };
      return {
        async cleanUp(names) {
          const attempts = names.map((name) => cleanUpSystem({ ...run, system: name }, context()));
          const results = await Promise.allSettled(attempts);
          return names.flatMap((name, index) => {
            const result = results[index];
            return result?.status === "rejected" ? [{ system: name, error: result.reason.message }] : [];
          });
        },
        confirm: async () => void (await sendConfirmation(run, context())),
      };
    };
    return {
      userId,
      events,
      keys,
      broken,
      configured,
      statuses,
      stepsOf,
      record: (position?: string) =>
        recordedDeletion(database.db, {
          source: declared.row,
          userId,
          email,
          systems: ["crm", "billing"],
          position,
        }),
      finish: (
        deletionId: string,
        runId = "run_1",
        { environment = ENVIRONMENT, steps = stepsOf(deletionId, runId) } = {},
      ) =>
        finishDeletion(
          { source: declared.row, deletionId, runId, environment },
          {
            db: database.db,
            declaration: declaration(),
            stepsOf: () => steps,
            statusOf: async (id) => statuses[id],
          },
        ),
      insertUser: () =>
        database.db.execute(sql`insert into users (id, first_name, last_name, email)
          values (${userId}, 'Jane', 'Doe', ${`${userId}@example.com`})`),
      /** As if the deletion had been accepted some days ago. */
      age: (deletionId: string, days: number) =>
        database.db.execute(sql`update aftercommit.deletions
          set requested_at = requested_at - ${days} * interval '1 day' where id = ${deletionId}`),
      deleteUser: () => database.db.execute(sql`delete from users where id = ${userId}`),
    };
  }

  return {
    world,
    get database() {
      return database;
    },
  };
}
