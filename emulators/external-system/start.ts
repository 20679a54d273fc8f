import { setTimeout } from "node:timers/promises";
import { faultRoutes } from "@aftercommit/local-shared/fault-routes.ts";
import type { Log } from "@aftercommit/local-shared/log.ts";
import { refuseOtherOrigins } from "@aftercommit/local-shared/refuse-other-origins.ts";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { type Call, openCalls } from "./calls.ts";
import { createFaults, faultSchema } from "./faults.ts";

export type ExternalSystemOptions = {
  /** The secret that signs the calls: whsec_… */
  secret: string;
  log: Log;
  /** The folder that keeps the calls. Default: in memory. */
  dataDir?: string;
};

const timestamp = z.iso.datetime();
// About a user, or any declared row: `account.deleted` has `account_id`.
const eventSchema = z.object({
  type: z.templateLiteral([z.string(), ".", z.enum(["deleted", "deletion_verify", "deletion_test"])]),
  timestamp,
  data: z.record(z.string().endsWith("_id"), z.string()).default({}),
});

/**
 * External systems of any name: `POST /local/external-system/:name/user-deleted` verifies the signature
 * (standardwebhooks.com), records the call and answers 204, or as `…/faults` says ({@link faultSchema}). Asked by
 * `user.deletion_verify`, it has found a user if no call has removed them yet. `GET /local/external-system/calls` lists
 * the signed calls, newest first. Rejects if the secret is not base64.
 */
export async function startExternalSystem({ secret, log, dataDir }: ExternalSystemOptions) {
  const webhook = new Webhook(secret);
  const calls = await openCalls(dataDir);
  const faults = createFaults();
  const app = new Hono();

  app.use("/local/external-system/*", refuseOtherOrigins, bodyLimit({ maxSize: 64 * 1024 }));
  app.post("/local/external-system/:name/user-deleted", async (c) => {
    const system = c.req.param("name");
    let signed: unknown;
    try {
      signed = webhook.verify(await c.req.text(), c.req.header());
    } catch (error) {
      log(`${system}: 401, ${error instanceof Error ? error.message : error}`);
      return c.json({ error: "The signature is missing, wrong or too old" }, 401);
    }
    const event = eventSchema.safeParse(signed);
    if (!event.success) return c.json({ error: z.prettifyError(event.error) }, 400);
    const [kind] = event.data.type.split(".").slice(-1);
    if (kind === "deletion_test") return new Response(null, { status: 204 });
    const [userId] = Object.values(event.data.data);
    if (userId === undefined) return c.json({ error: "data: names no row" }, 400);
    const isRemoved = (call: Call) =>
      call.system === system && call.userId === userId && call.status < 300 && !call.lied;
    if (kind === "deletion_verify") return c.json({ found: !calls.list().some(isRemoved) });
    const webhookId = c.req.header("webhook-id") ?? "";
    const fault = faults.take(system);
    const { status = 204, retryAfterMs, delayMs, lies } = fault ?? {};
    if (delayMs !== undefined) await setTimeout(delayMs);
    await calls.add({
      at: new Date().toISOString(),
      system,
      webhookId,
      userId,
      status,
      ...(lies && { lied: true }),
    });
    log(`${system}: user ${userId} deleted → ${status}${fault === undefined ? "" : ", as told"}`);
    const headers = new Headers();
    if (retryAfterMs !== undefined) headers.set("retry-after", `${Math.ceil(retryAfterMs / 1_000)}`);
    return new Response(null, { status, headers });
  });
  app.get("/local/external-system/calls", (c) => c.json(calls.list()));
  app.route("/local/external-system/faults", faultRoutes(faultSchema, faults));
  return { app, calls: { list: calls.list }, close: async () => {} };
}
