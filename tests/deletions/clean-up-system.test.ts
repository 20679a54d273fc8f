import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { cleanUpSystem } from "../../lib/deletions/clean-up-system.ts";
import { isHopeless, StepError } from "../../lib/deletions/errors.ts";
import { startExternalSystem } from "../../local/external-system/start.ts";
import { answerWith, hang, startFaultyServer } from "../faulty-server.ts";
import { serve } from "../serve.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT, heldDeletion, systemAt } from "./ledger.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const { signal } = new AbortController();

let database: Awaited<ReturnType<typeof startDatabase>>;
let http: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  const external = await startExternalSystem({ secret, log: () => {} });
  [database, http] = await Promise.all([startDatabase(), serve([external.app])]);
});
afterAll(() => Promise.all([database.close(), http.close()]));

beforeEach(() => {
  vi.stubEnv("DATABASE_URL", database.url);
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

const newDeletion = (...systems: string[]) =>
  heldDeletion(database.db, { systems: systems.length > 0 ? systems : [systemOf("crm")] });

const cleanUp = (userId: string, system = systemOf("crm")) =>
  cleanUpSystem({ userId, system, environment: ENVIRONMENT, signal });

async function callsFor(userId: string): Promise<{ webhookId: string; status: number }[]> {
  const calls = await (await fetch(`${http.url}/local/external-system/calls`)).json();
  return calls.filter((call: { userId: string }) => call.userId === userId);
}

const fail = (fault: object) =>
  fetch(`${http.url}/local/external-system/faults`, { method: "POST", body: JSON.stringify(fault) });

/** What cleaning one system of a new deletion rejects with when its server answers so. */
async function failureOf(start: ReturnType<typeof startFaultyServer>) {
  const server = await start;
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
  const system = systemAt(server.url);
  const userId = await newDeletion(system);
  try {
    const result = cleanUp(userId, system);
    const outcome = await result.then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    return { outcome, userId, requests: server.state.requests };
  } finally {
    await server.close();
  }
}

describe("cleaning an external system", () => {
  it("tells it by a signed webhook, and records when it was clean", async () => {
    const userId = await newDeletion();
    expect(await cleanUp(userId)).toEqual({ userId, system: systemOf("crm"), status: "clean" });
    expect(await callsFor(userId)).toMatchObject([{ status: 204 }]);
    const { systems } = await database.deletion(userId);
    expect(systems).toEqual({ [systemOf("crm")]: { done_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) } });
  });

  it("is not done again once it is recorded", async () => {
    const userId = await newDeletion();
    await cleanUp(userId);
    expect((await cleanUp(userId)).status).toBe("already-clean");
    expect(await callsFor(userId)).toHaveLength(1);
  });

  it("records each failure, and sends the same webhook-id in every attempt", async () => {
    const userId = await newDeletion();
    await fail({ name: "crm", status: 500, times: 2 });
    await expect(cleanUp(userId)).rejects.toThrow("answered 500");
    expect((await database.deletion(userId)).systems[systemOf("crm")]).toEqual({
      failed_at: expect.any(String),
      error: "answered 500",
    });
    await expect(cleanUp(userId)).rejects.toThrow("answered 500");
    await cleanUp(userId);
    expect((await database.deletion(userId)).systems[systemOf("crm")]).toEqual({
      done_at: expect.any(String),
    });
    const ids = (await callsFor(userId)).map(({ webhookId }) => webhookId);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  it("sends different webhook-ids to different systems", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `${urlOf("crm")}, ${urlOf("billing")}`);
    const userId = await newDeletion(systemOf("crm"), systemOf("billing"));
    await cleanUp(userId, systemOf("crm"));
    await cleanUp(userId, systemOf("billing"));
    expect(new Set((await callsFor(userId)).map(({ webhookId }) => webhookId)).size).toBe(2);
  });

  it("loses no progress when systems end at the same moment", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `system-${index}`);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", names.map(urlOf).join("\n"));
    await fail({ name: "system-3", status: 500, times: 1 });
    const userId = await newDeletion(...names.map(systemOf));
    await Promise.allSettled(names.map((name) => cleanUp(userId, systemOf(name))));
    const { systems } = await database.deletion(userId);
    expect(Object.keys(systems).sort()).toEqual(names.map(systemOf).sort());
    expect(systems[systemOf("system-3")]?.error).toBe("answered 500");
    expect(Object.values(systems).filter(({ done_at }) => done_at)).toHaveLength(7);
  });

  it.each([200, 204, 404, 410])("takes %i for clean", async (status) => {
    expect((await failureOf(startFaultyServer(answerWith(status, "")))).outcome).toBe("clean");
  });

  it.each([301, 302, 400, 401, 403, 429, 500, 503])("takes %i for a failure", async (status) => {
    const headers = { location: urlOf("crm") };
    const { outcome, userId } = await failureOf(startFaultyServer(answerWith(status, "", headers)));
    expect(outcome).toBe(`answered ${status}`);
    expect(await callsFor(userId)).toEqual([]);
  });

  it("names what broke when there was no answer", async () => {
    const server = await startFaultyServer(hang);
    await server.close();
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
    const userId = await newDeletion(systemAt(server.url));
    await expect(cleanUp(userId, systemAt(server.url))).rejects.toThrow(/^no answer: ECONNREFUSED$/);
  });

  it("does nothing for a user whose deletion is not recorded, and does not try again", async () => {
    const userId = randomUUID();
    const error = await cleanUp(userId).catch((reason) => reason);
    expect(error.message).toBe(`No deletion of user ${userId} is recorded`);
    expect(isHopeless(error)).toBe(true);
    expect(await callsFor(userId)).toEqual([]);
  });

  it.each([
    ["another system only", { USER_DELETION_WEBHOOK_URLS: "https://other.example" }, /^not configured where/],
    ["none", { USER_DELETION_WEBHOOK_URLS: "none" }, /^not configured where/],
    ["no list of systems", { USER_DELETION_WEBHOOK_URLS: "" }, /^USER_DELETION_WEBHOOK_URLS is not set/],
    ["no secret", { USER_DELETION_WEBHOOK_SECRET: "" }, /^USER_DELETION_WEBHOOK_SECRET is not set/],
  ])("fails at once and says so in the ledger where the task has %s", async (_, variables, message) => {
    const userId = await newDeletion();
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const error = await cleanUp(userId).catch((reason) => reason);
    expect(error.message).toMatch(message);
    expect(isHopeless(error)).toBe(true);
    expect((await database.deletion(userId)).systems[systemOf("crm")]).toEqual({
      failed_at: expect.any(String),
      error: error.message,
    });
  });

  it("does not tell a system that is configured later than the deletion was accepted", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `${urlOf("crm")}, ${urlOf("billing")}`);
    const userId = await newDeletion();
    expect((await cleanUp(userId, systemOf("billing"))).status).toBe("not-required");
    expect(await callsFor(userId)).toEqual([]);
  });

  it("tells a system under its own name when a token in its URL has changed meanwhile", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${urlOf("crm")}?token=old`);
    const userId = await newDeletion("crm");
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${urlOf("crm")}?token=new`);
    expect((await cleanUp(userId, "crm")).status).toBe("clean");
  });

  it("touches nothing in another environment than the one that began the deletion", async () => {
    const userId = await newDeletion();
    const before = await database.deletion(userId);
    const run = cleanUpSystem({ userId, system: systemOf("crm"), environment: "proj_tests/env_dev", signal });
    const error = await run.catch((reason) => reason);
    expect(error.message).toBe(
      `The deletion of user ${userId} was begun by ${ENVIRONMENT}: only a run there may work on it`,
    );
    expect(isHopeless(error)).toBe(true);
    expect(await database.deletion(userId)).toEqual(before);
    expect(await callsFor(userId)).toEqual([]);
  });
});

describe("what a failed step says", () => {
  const system = (error: unknown) => () => [
    {
      name: "analytics",
      cleanUp: async () => {
        throw error;
      },
    },
  ];

  it.each([
    ["its own words for a StepError", new StepError("answered 503"), "answered 503"],
    [
      "the code of anything else",
      Object.assign(new Error("https://x/?token=s3cret"), { code: "E_X" }),
      "E_X",
    ],
    [
      "the code of its cause",
      new Error("s3cret", { cause: Object.assign(new Error("s3cret"), { code: "E_Y" }) }),
      "E_Y",
    ],
    ["its name where it has no code", new TypeError("Failed to parse URL from s3cret"), "TypeError"],
  ])("is %s", async (_, thrown, said) => {
    const userId = await newDeletion("analytics");
    const request = { userId, system: "analytics", environment: ENVIRONMENT, signal };
    const error = await cleanUpSystem(request, { systems: system(thrown) }).catch((reason) => reason);
    expect(error.message).toBe(said);
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain("s3cret");
    expect((await database.deletion(userId)).systems.analytics?.error).toBe(said);
  });

  it("has nothing of a webhook's path and query in it, wherever it goes", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
    const gone = await startFaultyServer(hang);
    await gone.close();
    const url = `${gone.url}/hooks/s3cret-path?token=s3cret-query`;
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", url);
    const name = systemAt(url);
    expect(name).toMatch(/^webhook:127\.0\.0\.1:\d+#[0-9a-f]{8}$/);
    const userId = await newDeletion(name);
    const error = await cleanUp(userId, name).catch((reason) => reason);
    const everything = [lines, error.stack, error.message, error.cause, await database.deletion(userId)];
    expect(JSON.stringify(everything)).toContain("ECONNREFUSED");
    expect(JSON.stringify(everything)).not.toContain("s3cret");
  });
});
