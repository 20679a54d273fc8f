import { createHash } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { required } from "../env.ts";
import { codeOf, StepError } from "./errors.ts";
import type { ExternalSystem } from "./external-system.ts";
import { parseWebhooks, type WebhookTarget } from "./webhook-list.ts";

// 404 and 410: the system does not know the row, or not any more.
const isClean = (status: number) => (status >= 200 && status < 300) || status === 404 || status === 410;

async function post(url: string, init: RequestInit): Promise<number> {
  try {
    const response = await fetch(url, { ...init, method: "POST", redirect: "manual" });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    // Not as its cause: fetch's own message may carry the URL.
    throw new StepError(`no answer: ${codeOf(error)}`);
  }
}

function webhook({ name, url }: WebhookTarget): ExternalSystem {
  return {
    name,
    async cleanUp({ row, id: rowId, requestedAt, idempotencyKey, signal }) {
      const body = JSON.stringify({
        type: `${row}.deleted`,
        timestamp: requestedAt.toISOString(),
        data: { [`${row.replaceAll("-", "_")}_id`]: rowId },
      });
      const id = `msg_${createHash("sha256").update(idempotencyKey).digest("hex").slice(0, 32)}`;
      const sentAt = new Date();
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
        "webhook-signature": new Webhook(required("USER_DELETION_WEBHOOK_SECRET")).sign(id, sentAt, body),
      };
      const status = await post(url, { headers, body, signal });
      if (!isClean(status)) throw new StepError(`answered ${status}`);
    },
  };
}

/**
 * One system for each URL of USER_DELETION_WEBHOOK_URLS, notified by a POST (standardwebhooks.com) that is signed with
 * USER_DELETION_WEBHOOK_SECRET: 2xx says that it is clean, 404 and 410 that there was nothing. Redirects are not
 * followed: they fail.
 * @throws {EnvironmentError} when the list is not set or malformed: that there are none has to be said, by `none`
 */
export const webhooks = (): ExternalSystem[] =>
  parseWebhooks(required("USER_DELETION_WEBHOOK_URLS")).targets.map(webhook);
