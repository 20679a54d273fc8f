import { createHash, randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import * as z from "zod";
import type { Duration } from "../declare/duration.ts";
import type { DeletedRow, ExternalSystem, SystemRequest } from "../declare/external-system.ts";
import { required } from "../env/env.ts";
import { parseWebhooks } from "../env/webhook-list.ts";
import { isWebhookSecret } from "../env/webhook-secret.ts";
import { StepError } from "./errors.ts";
import { sendRequest, wasFound } from "./send-request.ts";

type WebhookOptions = {
  /** Never changes: the ledger refers to the system by it. */
  name: string;
  url: string;
  /** Signs the events: `whsec_` and 24 to 64 bytes in base64. Default: USER_DELETION_WEBHOOK_SECRET. */
  secret?: string | undefined;
  /** The statuses that mean that the system never knew the row. Default: none. */
  notFound?: readonly number[];
  /** Asks the system after each clean-up whether it still has the row. It answers `{ "found": false }` if not. */
  verify?: true;
  /** Sends the e-mail address along with the id. */
  email?: true;
  /** The grace period after the deletion. */
  after?: Duration;
};

type Event = { id: string; type: string; timestamp: Date; data: object };

const found = z.object({ found: z.boolean() });

/** A webhook-id is the event's idempotency key, so a question that must be answered again gets a new one. */
const newId = () => `msg_${randomUUID()}`;

const requestOf = (url: string, { id, type, timestamp, data }: Event): SystemRequest => ({
  method: "POST",
  url,
  headers: { "content-type": "application/json", "webhook-id": id },
  body: JSON.stringify({ type, timestamp: timestamp.toISOString(), data }),
});

function dataOf({ row, id, email }: DeletedRow, { email: asks }: Pick<WebhookOptions, "email">): object {
  const name = row.replaceAll("-", "_");
  return { [`${name}_id`]: id, ...(asks && { [`${name}_email`]: email }) };
}

/**
 * A system that receives a signed POST (standardwebhooks.com) of the type `user.deleted`. 2xx means that it is clean,
 * and so does a status of `notFound`. Redirects are not followed: they fail.
 *
 * @example
 * webhook({ name: "crm", url: "https://crm.example.com/hook", verify: true, email: true, after: "7 days" })
 */
export function webhook(options: WebhookOptions): ExternalSystem {
  const { name, url, notFound = [], verify, email, after } = options;

  function secretOf(): string {
    if (!("secret" in options)) return required("USER_DELETION_WEBHOOK_SECRET");
    const { secret = "" } = options;
    if (isWebhookSecret(secret)) return secret;
    throw new StepError("its secret must be whsec_ and 24 to 64 bytes in base64", { retryable: false });
  }

  async function send(event: Event, signal: AbortSignal): Promise<Response> {
    const request = requestOf(url, event);
    const now = new Date();
    const headers = {
      ...request.headers,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(secretOf()).sign(event.id, now, request.body ?? ""),
    };
    return sendRequest({ ...request, headers }, signal);
  }

  const deleted = (deletion: DeletedRow): Event => ({
    id: `msg_${createHash("sha256").update(deletion.idempotencyKey).digest("hex").slice(0, 32)}`,
    type: `${deletion.row}.deleted`,
    timestamp: deletion.requestedAt,
    data: dataOf(deletion, options),
  });

  return {
    name,
    ...(email && { email }),
    ...(after && { after }),
    request: (deletion) => requestOf(url, deleted(deletion)),
    async cleanUp(deletion) {
      const response = await send(deleted(deletion), deletion.signal);
      await response.body?.cancel();
      wasFound(response, notFound);
    },
    async test({ row, signal }) {
      const event = { id: newId(), type: `${row}.deletion_test`, timestamp: new Date(), data: {} };
      const response = await send(event, signal);
      await response.body?.cancel();
      wasFound(response, []);
    },
    ...(verify && {
      async verify(deletion) {
        const type = `${deletion.row}.deletion_verify`;
        const event = { ...deleted(deletion), id: newId(), type };
        const response = await send(event, deletion.signal);
        if (!wasFound(response, notFound)) return { found: false };
        const answer = found.safeParse(await response.json().catch(() => undefined));
        if (!answer.success) throw new StepError('did not answer { "found": true } or { "found": false }');
        return answer.data;
      },
    }),
  };
}

/**
 * One system per URL of USER_DELETION_WEBHOOK_URLS, signed with USER_DELETION_WEBHOOK_SECRET.
 * @throws {EnvironmentError} if the list is missing or malformed; no webhooks at all must be declared as `none`
 */
export const webhooks = (): ExternalSystem[] =>
  parseWebhooks(required("USER_DELETION_WEBHOOK_URLS")).targets.map(webhook);
