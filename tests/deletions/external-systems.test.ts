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

const namesOf = (urls: string) => {
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", urls);
  return externalSystems().map(({ name }) => name);
};

describe("the registry", () => {
  it("has one system for each URL, named by its host, and by a hash where it has a path or a query", () => {
    expect(
      namesOf("https://a.example/s3cret?token=s3cret,https://a.example/hook https://b.example:8443"),
    ).toEqual([
      expect.stringMatching(/^webhook:a\.example#[0-9a-f]{8}$/),
      "webhook:a.example#7225f113",
      "webhook:b.example:8443",
    ]);
  });

  it("takes a name that is given, which stays when the URL changes", () => {
    expect(namesOf("crm=https://a.example/?x=1 Billing.2=https://b.example")).toEqual(["crm", "Billing.2"]);
    expect(namesOf("crm=https://a.example/?x=2")).toEqual(["crm"]);
  });

  it("knows the systems without the secret that they are told with", () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    expect(namesOf("https://b.example")).toEqual(["webhook:b.example"]);
  });

  it("is empty only where that is said", () => {
    expect(namesOf("none")).toEqual([]);
    for (const unset of ["", "  ", ","]) expect(() => namesOf(unset)).toThrow("USER_DELETION_WEBHOOK_URLS");
  });

  it.each([
    "example.com/s3cret",
    "https://user:s3cret@example.com/hook",
    "ftp://example.com/s3cret",
    "https://a.example/s3cret, none",
    "c:m=https://a.example/s3cret",
    "=https://a.example/s3cret",
    "-crm=https://a.example/s3cret",
    "crm=s3cret",
    "https://a.example/s3cret https://a.example/s3cret",
    "http://a.example https://a.example",
    "crm=https://a.example/s3cret crm=https://b.example/s3cret",
  ])("refuses %s, and repeats no URL", (urls) => {
    let message = "";
    try {
      namesOf(urls);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("USER_DELETION_WEBHOOK_URLS");
    expect(message).not.toContain("s3cret");
  });

  it.each([
    secret.replace("whsec_", ""),
    secret.replace("=", ""),
    `whsec_${Buffer.alloc(23).toString("base64")}`,
  ])("does not tell a system with the malformed secret %s", async (malformed) => {
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", malformed);
    const [system] = externalSystems();
    const deletion = { userId: randomUUID(), requestedAt: new Date(), idempotencyKey: "x", signal };
    await expect(system?.cleanUp(deletion)).rejects.toThrow("USER_DELETION_WEBHOOK_SECRET");
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
