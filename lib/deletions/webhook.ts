import { createHash } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { listOf, optional, required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import type { ExternalSystem } from "./external-system.ts";

// 404 and 410: the system does not know the user, or not any more.
const isClean = (status: number) => (status >= 200 && status < 300) || status === 404 || status === 410;

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

// A query may carry a token, and names go to the ledger and to Trigger.dev.
function nameOf({ protocol, host, pathname, search }: URL): string {
  const scheme = protocol === "https:" ? "" : "http://";
  return `webhook:${scheme}${host}${pathname}${search && `?${digest(search).slice(0, 8)}`}`;
}

async function post(url: URL, init: RequestInit): Promise<number> {
  try {
    const response = await fetch(url, { ...init, method: "POST", redirect: "manual" });
    await response.body?.cancel();
    return response.status;
  } catch (cause) {
    throw new Error(`no answer: ${rootMessageOf(cause)}`, { cause });
  }
}

function webhook(url: URL, secret: string): ExternalSystem {
  return {
    name: nameOf(url),
    async cleanUp({ userId, requestedAt, idempotencyKey, signal }) {
      const body = JSON.stringify({
        type: "user.deleted",
        timestamp: requestedAt.toISOString(),
        data: { user_id: userId },
      });
      const id = `msg_${digest(idempotencyKey).slice(0, 32)}`;
      const sentAt = new Date();
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
        "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
      };
      const status = await post(url, { headers, body, signal });
      if (!isClean(status)) throw new Error(`answered ${status}`);
    },
  };
}

/**
 * One system for each URL of USER_DELETION_WEBHOOK_URLS, told by a signed POST (standardwebhooks.com): 2xx says that
 * it is clean, 404 and 410 that there was nothing. Redirects are not followed: they fail.
 * @throws {EnvironmentError} when there are URLs and no USER_DELETION_WEBHOOK_SECRET
 */
export function webhooks(): ExternalSystem[] {
  const urls = new Set(listOf(optional("USER_DELETION_WEBHOOK_URLS")).map((url) => new URL(url).href));
  if (urls.size === 0) return [];
  const secret = required("USER_DELETION_WEBHOOK_SECRET");
  return [...urls].map((url) => webhook(new URL(url), secret));
}
