import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startExternalSystem } from "../start.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const userId = "20f5cc55-b218-4aad-8fa7-ef7556575776";
const body = JSON.stringify({
  type: "user.deleted",
  timestamp: "2026-01-02T03:04:05.000Z",
  data: { user_id: userId },
});

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "external-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

type System = Awaited<ReturnType<typeof startExternalSystem>>;

const start = (folder?: string) => startExternalSystem({ secret, log: () => {}, dataDir: folder });

function call(
  { app }: System,
  { name = "crm", signedWith = secret, at = new Date(), text = body, origin = "" } = {},
) {
  const headers = new Headers({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(signedWith).sign("msg_1", at, text),
  });
  if (origin) headers.set("origin", origin);
  return app.request(`/local/external-system/${name}/user-deleted`, { method: "POST", headers, body: text });
}

const calls = async ({ app }: System) => (await app.request("/local/external-system/calls")).json();

const fail = ({ app }: System, fault: object) =>
  app.request("/local/external-system/faults", { method: "POST", body: JSON.stringify(fault) });

describe("the external system for demonstrations", () => {
  it("records a signed call and answers 204", async () => {
    const system = await start();
    expect((await call(system)).status).toBe(204);
    expect(await calls(system)).toMatchObject([{ system: "crm", webhookId: "msg_1", userId, status: 204 }]);
  });

  it("answers 401 to a wrong secret, an old timestamp and a missing signature, and records nothing", async () => {
    const system = await start();
    const other = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
    expect((await call(system, { signedWith: other })).status).toBe(401);
    expect((await call(system, { at: new Date(Date.now() - 6 * 60_000) })).status).toBe(401);
    const unsigned = await system.app.request("/local/external-system/crm/user-deleted", {
      method: "POST",
      body,
    });
    expect(unsigned.status).toBe(401);
    expect(await calls(system)).toEqual([]);
  });

  it("answers 400 to a signed body that is no deletion", async () => {
    const system = await start();
    expect((await call(system, { text: '{"type":"user.created"}' })).status).toBe(400);
  });

  it("has a user until a call has removed it, and takes a test event, recording neither question", async () => {
    const system = await start();
    const ask = (name: string) => call(system, { name, text: body.replace("deleted", "deletion_verify") });
    expect(await (await ask("crm")).json()).toEqual({ found: true });
    await call(system);
    expect(await (await ask("crm")).json()).toEqual({ found: false });
    expect(await (await ask("billing")).json()).toEqual({ found: true });
    const text = '{"type":"user.deletion_test","timestamp":"2026-01-02T03:04:05.000Z","data":{}}';
    expect((await call(system, { text })).status).toBe(204);
    expect(await calls(system)).toHaveLength(1);
  });

  it("fails as told: one system or all, as often as told, one system's own fault first", async () => {
    const system = await start();
    await fail(system, { status: 503 });
    await fail(system, { name: "crm", status: 500, times: 2 });
    const statuses = [];
    for (const name of ["crm", "crm", "crm", "billing"]) statuses.push((await call(system, { name })).status);
    expect(statuses).toEqual([500, 500, 503, 503]);
    await system.app.request("/local/external-system/faults", { method: "DELETE" });
    expect((await call(system)).status).toBe(204);
  });

  it("can send retry-after, answer late, and lie", async () => {
    const system = await start();
    await fail(system, { status: 429, retryAfterMs: 30_000, times: 1 });
    const busy = await call(system);
    expect([busy.status, busy.headers.get("retry-after")]).toEqual([429, "30"]);
    await fail(system, { lies: true, delayMs: 50, times: 1 });
    const startedAt = performance.now();
    expect((await call(system)).status).toBe(204);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(49);
    const ask = async () => (await call(system, { text: body.replace("deleted", "deletion_verify") })).json();
    expect(await ask()).toEqual({ found: true });
    await call(system);
    expect(await ask()).toEqual({ found: false });
  });

  it("rejects a fault without effect", async () => {
    expect((await fail(await start(), { name: "crm" })).status).toBe(400);
  });

  it("has its calls again after a restart, also when a kill cut the last one off", async () => {
    const first = await start(dataDir);
    await call(first, { name: "one" });
    await appendFile(join(dataDir, "calls.jsonl"), '{"at":"2026-');
    const second = await start(dataDir);
    await call(second, { name: "two" });
    const third = await start(dataDir);
    expect((await calls(third)).map((entry: { system: string }) => entry.system)).toEqual(["two", "one"]);
  });

  it("refuses a page of another site", async () => {
    const system = await start();
    expect((await call(system, { origin: "https://example.com" })).status).toBe(403);
  });
});
