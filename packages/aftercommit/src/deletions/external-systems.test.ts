import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hang, startFaultyServer } from "@/tests/helpers/faulty-server.ts";
import type { ExternalSystem } from "../declare/external-system.ts";
import { systemsOf } from "./external-systems.ts";
import { withinAttempt } from "./within-attempt.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const { signal } = new AbortController();

beforeEach(() => {
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "https://a.example/hook");
  vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", secret);
});
afterEach(() => vi.unstubAllEnvs());

const declared = (name: string): ExternalSystem => ({ name, cleanUp: async () => {} });

const namesOf = (urls: string, systems: ExternalSystem[] = []) => {
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", urls);
  return systemsOf({ systems }).map(({ name }) => name);
};

const aDeletion = {
  row: "user",
  id: randomUUID(),
  email: null,
  requestedAt: new Date(),
  idempotencyKey: "x",
};

describe("the systems of a declaration", () => {
  it("are one per URL, named by its host, and by a hash if it has a path or a query", () => {
    expect(
      namesOf("https://a.example/s3cret?token=s3cret,https://a.example/hook https://b.example:8443"),
    ).toEqual([
      expect.stringMatching(/^webhook:a\.example#[0-9a-f]{8}$/),
      "webhook:a.example#7225f113",
      "webhook:b.example:8443",
    ]);
  });

  it("have the name that is given, which stays when the URL changes", () => {
    expect(namesOf("crm=https://a.example/?x=1 Billing.2=https://b.example")).toEqual(["crm", "Billing.2"]);
    expect(namesOf("crm=https://a.example/?x=2")).toEqual(["crm"]);
  });

  it("are those that it declares, and then the webhooks; no two of one name", () => {
    expect(namesOf("crm=https://a.example", [declared("own-rows")])).toEqual(["own-rows", "crm"]);
    expect(() => namesOf("crm=https://a.example", [declared("crm")])).toThrow(
      "USER_DELETION_WEBHOOK_URLS names crm, which is another system's name",
    );
  });

  it("are known without the secret that they are notified with", () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", "");
    expect(namesOf("https://b.example")).toEqual(["webhook:b.example"]);
  });

  it("are none only if that is configured", () => {
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
  ])("rejects %s, and repeats no URL", (urls) => {
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
  ])("are not notified with the malformed secret %s", async (malformed) => {
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", malformed);
    const [system] = systemsOf({ systems: [] });
    await expect(system?.cleanUp({ ...aDeletion, signal })).rejects.toThrow("USER_DELETION_WEBHOOK_SECRET");
  });
});

describe("a webhook", () => {
  it.each([
    ["user", { type: "user.deleted", data: { user_id: "7" } }],
    ["team-member", { type: "team-member.deleted", data: { team_member_id: "7" } }],
  ])("about a %s names the row and its key", async (row, event) => {
    const bodies: string[] = [];
    const server = await startFaultyServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => {
        bodies.push(body);
        response.writeHead(204).end();
      });
    });
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
    const requestedAt = new Date("2026-01-02T03:04:05.678Z");
    const [system] = systemsOf({ systems: [] });
    await system?.cleanUp({ ...aDeletion, row, id: "7", requestedAt, signal });
    expect(bodies.map((body) => JSON.parse(body))).toEqual([
      { ...event, timestamp: "2026-01-02T03:04:05.678Z" },
    ]);
    await server.close();
  });
});

describe("an attempt", () => {
  it("ends when its time is over, and aborts what it was doing", async () => {
    const server = await startFaultyServer(hang);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", server.url);
    const [system] = systemsOf({ systems: [] });
    let work: Promise<void> | undefined;
    const attempt = withinAttempt(
      async (limit) => {
        work = system?.cleanUp({ ...aDeletion, signal: limit });
        await work;
      },
      { signal, milliseconds: 300 },
    );
    await expect(attempt).rejects.toThrow("not done in 0.3 s");
    await expect(work).rejects.toThrow("no answer");
    expect(server.state.requests).toBe(1);
    await server.close();
  });

  it("ends when the run is canceled, also when the work does not listen", async () => {
    const run = new AbortController();
    const attempt = withinAttempt(() => new Promise<void>(() => {}), { signal: run.signal });
    run.abort();
    await expect(attempt).rejects.toThrow("the run was cancelled");
    await expect(withinAttempt(async () => {}, { signal: run.signal })).rejects.toThrow("cancelled");
  });
});
