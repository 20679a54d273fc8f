import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { users } from "../../../aftercommit.config.ts";
import { startExternalSystem } from "../../../emulators/external-system/start.ts";
import type { DeletionDeclaration } from "../../../packages/aftercommit/src/declare/declaration.ts";
import { cleanUpSystem } from "../../../packages/aftercommit/src/deletions/clean-up-system.ts";
import { serve } from "../serve.ts";
import { startDatabase } from "./deletions-database.ts";
import { ENVIRONMENT, leasedDeletion, systemAt } from "./recorded-deletion.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const { signal } = new AbortController();

type Options = { environment?: string; declarations?: readonly DeletionDeclaration[] };

/** A database and external systems for the tests of a file. Only the webhook of `crm` is configured. */
export function cleanUpsForTests() {
  let database: Awaited<ReturnType<typeof startDatabase>>;
  let http: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    const external = await startExternalSystem({ secret, log: () => {} });
    [database, http] = await Promise.all([startDatabase(), serve([external.app])]);
  });
  afterAll(() => Promise.all([database.close(), http.close()]));

  beforeEach(() => {
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", secret);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", urlOf("crm"));
    vi.spyOn(console, "warn").mockImplementation(() => {});
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  const urlOf = (name: string) => `${http.url}/local/external-system/${name}/user-deleted`;
  const systemOf = (name: string) => systemAt(urlOf(name));

  return {
    get database() {
      return database;
    },
    urlOf,
    systemOf,

    newDeletion: (...systems: string[]) =>
      leasedDeletion(database.db, { systems: systems.length > 0 ? systems : [systemOf("crm")] }),

    cleanUp: (
      deletionId: string,
      system = systemOf("crm"),
      { environment = ENVIRONMENT, declarations = [users] }: Options = {},
    ) => cleanUpSystem({ deletionId, system, environment, signal }, { db: database.db, declarations }),

    async callsFor(deletionId: string): Promise<{ webhookId: string; status: number }[]> {
      const calls = await (await fetch(`${http.url}/local/external-system/calls`)).json();
      const { row_id: userId } = await database.deletion(deletionId);
      return calls.filter((call: { userId: string }) => call.userId === userId);
    },

    fail: (fault: object) =>
      fetch(`${http.url}/local/external-system/faults`, { method: "POST", body: JSON.stringify(fault) }),
  };
}
