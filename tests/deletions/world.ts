import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { recordDeletion } from "../../drizzle/queries/user-deletions.ts";
import { cleanUpSystem } from "../../lib/deletions/clean-up-system.ts";
import { StepError } from "../../lib/deletions/errors.ts";
import type { ExternalSystem } from "../../lib/deletions/external-system.ts";
import { type DeletionSteps, finishDeletion } from "../../lib/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../lib/deletions/send-confirmation.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT } from "./ledger.ts";

const { signal } = new AbortController();

/** A database for the tests of a file, and worlds in which a deletion of its own is finished. */
export function worldsForTests() {
  let database: Awaited<ReturnType<typeof startDatabase>>;

  beforeAll(async () => {
    database = await startDatabase();
  });
  afterAll(() => database.close());

  beforeEach(() => {
    vi.stubEnv("DATABASE_URL", database.url);
    vi.stubEnv("MAIL_FROM", "no-reply@example.com");
    for (const level of ["info", "warn"] as const) vi.spyOn(console, level).mockImplementation(() => {});
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  /** Systems, steps in this process, runs of which the statuses are known, and what was done in which order. */
  function world({ broken = new Set<string>(), email = "to@example.com" as string | null } = {}) {
    const events: string[] = [];
    const system = (name: string): ExternalSystem => ({
      name,
      async cleanUp() {
        events.push(name);
        if (broken.has(name)) throw new StepError(`${name} is down`);
      },
    });
    const configured = ["crm", "billing"];
    const systems = () => configured.map(system);
    const statuses: Record<string, string> = {};
    const userId = randomUUID();
    const send = async () => void events.push("mail");
    const stepsOf = (runId: string): DeletionSteps => {
      const run = { userId, runId, environment: ENVIRONMENT, signal };
      return {
        async cleanUp(names) {
          const attempts = names.map((name) => cleanUpSystem({ ...run, system: name }, { systems }));
          const results = await Promise.allSettled(attempts);
          return names.flatMap((name, index) => {
            const result = results[index];
            return result?.status === "rejected" ? [{ system: name, error: result.reason.message }] : [];
          });
        },
        confirm: async () => (await sendConfirmation(run, { send })).confirmation,
      };
    };
    return {
      userId,
      events,
      broken,
      configured,
      statuses,
      stepsOf,
      record: () => recordDeletion(database.db, { userId, email, requiredSystems: ["crm", "billing"] }),
      finish: (runId = "run_1", { environment = ENVIRONMENT, steps = stepsOf(runId) } = {}) =>
        finishDeletion({ userId, runId, environment }, steps, {
          systems,
          statusOf: async (id) => statuses[id],
        }),
    };
  }

  return {
    world,
    get database() {
      return database;
    },
  };
}
