import { describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { cleanUpsForTests } from "@/tests/helpers/deletions/clean-ups.ts";
import { systemAt } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { answerWith, hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import type { ExternalSystem } from "../declare/external-system.ts";
import { StepError } from "./errors.ts";

const cleanUps = cleanUpsForTests();
const { urlOf, systemOf, newDeletion, cleanUp, callsFor, fail } = cleanUps;

/** The error of cleaning one system of a new deletion when its server answers like this. */
async function failureOf(start: ReturnType<typeof startFaultyServer>) {
  const server = await start;
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
  const system = systemAt(server.url);
  const id = await newDeletion(system);
  try {
    const result = cleanUp(id, system);
    const outcome = await result.then(
      ({ status }) => status,
      (error: Error) => error.message,
    );
    return { outcome, id };
  } finally {
    await server.close();
  }
}

describe("cleaning an external system", () => {
  it("notifies it with a signed webhook, and records when it was clean", async () => {
    const id = await newDeletion();
    expect(await cleanUp(id)).toEqual({ deletionId: id, system: systemOf("crm"), status: "clean" });
    expect(await callsFor(id)).toMatchObject([{ status: 204 }]);
    const { systems } = await cleanUps.database.deletion(id);
    expect(systems).toEqual({ [systemOf("crm")]: { done_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) } });
  });

  it("is not done again once it is recorded", async () => {
    const id = await newDeletion();
    await cleanUp(id);
    expect((await cleanUp(id)).status).toBe("already-clean");
    expect(await callsFor(id)).toHaveLength(1);
  });

  it("records each failure, and sends the same webhook-id in every attempt", async () => {
    const id = await newDeletion();
    await fail({ name: "crm", status: 500, times: 2 });
    await expect(cleanUp(id)).rejects.toThrow("answered 500");
    expect((await cleanUps.database.deletion(id)).systems[systemOf("crm")]).toEqual({
      failed_at: expect.any(String),
      error: "answered 500",
    });
    await expect(cleanUp(id)).rejects.toThrow("answered 500");
    await cleanUp(id);
    expect((await cleanUps.database.deletion(id)).systems[systemOf("crm")]).toEqual({
      done_at: expect.any(String),
    });
    const ids = (await callsFor(id)).map(({ webhookId }) => webhookId);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
  });

  it("sends different webhook-ids to different systems", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `${urlOf("crm")}, ${urlOf("billing")}`);
    const id = await newDeletion(systemOf("crm"), systemOf("billing"));
    await cleanUp(id, systemOf("crm"));
    await cleanUp(id, systemOf("billing"));
    expect(new Set((await callsFor(id)).map(({ webhookId }) => webhookId)).size).toBe(2);
  });

  it("loses no progress when systems end at the same moment", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `system-${index}`);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", names.map(urlOf).join("\n"));
    await fail({ name: "system-3", status: 500, times: 1 });
    const id = await newDeletion(...names.map(systemOf));
    await Promise.allSettled(names.map((name) => cleanUp(id, systemOf(name))));
    const { systems } = await cleanUps.database.deletion(id);
    expect(Object.keys(systems).sort()).toEqual(names.map(systemOf).sort());
    expect(systems[systemOf("system-3")]?.error).toBe("answered 500");
    expect(Object.values(systems).filter(({ done_at }) => done_at)).toHaveLength(7);
  });

  it.each([200, 202, 204])("counts %i as clean", async (status) => {
    expect((await failureOf(startFaultyServer(answerWith(status, "")))).outcome).toBe("clean");
  });

  it.each([
    // github.com/n8n-io/n8n/issues/34038: an inactive workflow.
    [404, '{"code":404,"message":"The requested webhook \\"POST x\\" is not registered."}'],
    // help.make.com/fix-general-errors: a disabled scenario.
    [410, "There is no scenario listening for this webhook."],
    // docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: removed, and archived.
    [404, "no_service"],
    [410, "channel_is_archived"],
    [404, "<html><body>nginx</body></html>"],
  ])("counts %i as a failure that says where to look: %s", async (status, body) => {
    const { outcome, id } = await failureOf(startFaultyServer(answerWith(status, body)));
    expect(outcome).toBe(
      `answered ${status}: nothing is there: look at its address, and whether its automation is switched on`,
    );
    expect(Object.values((await cleanUps.database.deletion(id)).systems)).toMatchObject([{ error: outcome }]);
  });

  it.each([301, 302, 400, 401, 403, 429, 500, 503])("counts %i as a failure", async (status) => {
    const headers = { location: urlOf("crm") };
    const { outcome, id } = await failureOf(startFaultyServer(answerWith(status, "", headers)));
    expect(outcome).toBe(`answered ${status}`);
    expect(await callsFor(id)).toEqual([]);
  });

  it("names what broke when there was no response", async () => {
    const server = await startFaultyServer(hang);
    await server.close();
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
    const id = await newDeletion(systemAt(server.url));
    await expect(cleanUp(id, systemAt(server.url))).rejects.toThrow(/^no answer: ECONNREFUSED$/);
  });

  it("notifies a system under its own name when a token in its URL has changed in between", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${urlOf("crm")}?token=old`);
    const id = await newDeletion("crm");
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${urlOf("crm")}?token=new`);
    expect((await cleanUp(id, "crm")).status).toBe("clean");
  });
});

describe("what a failed step says", () => {
  const failing = (error: unknown): ExternalSystem => ({
    name: "analytics",
    cleanUp: async () => {
      throw error;
    },
  });

  it.each([
    ["its own message for a StepError", new StepError("answered 503"), "answered 503"],
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
    const id = await newDeletion("analytics");
    const declarations = [{ ...users, systems: [failing(thrown)] }];
    const error = await cleanUp(id, "analytics", { declarations }).catch((reason) => reason);
    expect(error.message).toBe(said);
    expect(`${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain("s3cret");
    expect((await cleanUps.database.deletion(id)).systems.analytics?.error).toBe(said);
  });

  it("contains nothing of a webhook's path and query, wherever it goes", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
    const gone = await startFaultyServer(hang);
    await gone.close();
    const url = `${gone.url}/hooks/s3cret-path?token=s3cret-query`;
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", url);
    const name = systemAt(url);
    expect(name).toMatch(/^webhook:127\.0\.0\.1:\d+#[0-9a-f]{8}$/);
    const id = await newDeletion(name);
    const error = await cleanUp(id, name).catch((reason) => reason);
    const everything = [lines, error.stack, error.message, error.cause, await cleanUps.database.deletion(id)];
    expect(JSON.stringify(everything)).toContain("ECONNREFUSED");
    expect(JSON.stringify(everything)).not.toContain("s3cret");
  });
});
