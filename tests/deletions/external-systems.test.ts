import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { externalSystems } from "../../lib/deletions/external-systems.ts";
import { withinAttempt } from "../../lib/deletions/within-attempt.ts";
import { hang, startFaultyServer } from "../faulty-server.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const { signal } = new AbortController();

beforeEach(() => {
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "https://a.example/hook");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", secret);
});
afterEach(() => vi.unstubAllEnvs());

describe("the registry", () => {
  it("has one system for each URL, named without its query, and none when nothing is configured", () => {
    const urls =
      "https://a.example/hook?token=secret,https://a.example/hook https://b.example/ https://b.example";
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", urls);
    expect(externalSystems().map(({ name }) => name)).toEqual([
      expect.stringMatching(/^webhook:a\.example\/hook\?[0-9a-f]{8}$/),
      "webhook:a.example/hook",
      "webhook:b.example/",
    ]);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "");
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    expect(externalSystems()).toEqual([]);
  });

  it.each([
    ["USER_DELETION_WEBHOOK_URLS", "example.com/hook"],
    ["USER_DELETION_WEBHOOK_URLS", "https://user:password@example.com/hook"],
    ["USER_DELETION_WEBHOOK_SECRET", secret.replace("whsec_", "")],
    ["USER_DELETION_WEBHOOK_SECRET", secret.replace("=", "")],
    ["USER_DELETION_WEBHOOK_SECRET", `whsec_${Buffer.alloc(23).toString("base64")}`],
  ])("names %s when it is malformed: %s", (name, value) => {
    vi.stubEnv(name, value);
    expect(() => externalSystems()).toThrow(name);
  });
});

describe("an attempt", () => {
  it("ends when its time is over, and aborts what it was doing", async () => {
    const server = await startFaultyServer(hang);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
    const [system] = externalSystems();
    const deletion = { userId: randomUUID(), requestedAt: new Date(), idempotencyKey: "x" };
    let work: Promise<void> | undefined;
    const attempt = withinAttempt(
      async (limit) => {
        work = system?.cleanUp({ ...deletion, signal: limit });
        await work;
      },
      { signal, milliseconds: 300 },
    );
    await expect(attempt).rejects.toThrow("not done in 0.3 s");
    await expect(work).rejects.toThrow("no answer");
    expect(server.state.requests).toBe(1);
    await server.close();
  });

  it("ends when the run is cancelled, also when the work does not listen", async () => {
    const run = new AbortController();
    const attempt = withinAttempt(() => new Promise<void>(() => {}), { signal: run.signal });
    run.abort();
    await expect(attempt).rejects.toThrow("the run was cancelled");
    await expect(withinAttempt(async () => {}, { signal: run.signal })).rejects.toThrow("cancelled");
  });
});
