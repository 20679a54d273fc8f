import type { SystemRequest } from "../declare/external-system.ts";
import { codeOf, StepError } from "./errors.ts";

const LONGEST_WAIT_MS = 3_600_000;
const LOOK = "nothing is there: look at its address, and whether its automation is switched on";

/** Sends a request and follows no redirect. Rejects with StepError if there is no response. */
export async function sendRequest(request: SystemRequest, signal: AbortSignal): Promise<Response> {
  const { url, ...init } = request;
  try {
    return await fetch(url, { ...init, redirect: "manual", signal });
  } catch (error) {
    // Without the cause: fetch's own message may contain the URL.
    throw new StepError(`no answer: ${codeOf(error)}`);
  }
}

/**
 * When a busy system wants another request, at most an hour away: after seconds, or at a date
 * (rfc-editor.org/rfc/rfc9110#field.retry-after). Some send 2.0 (shopify.dev/docs/api/admin-rest/usage/rate-limits).
 */
function retryAtOf({ status, headers }: Response): Date | undefined {
  const after = headers.get("retry-after") ?? "";
  if (status !== 429 && status !== 503) return undefined;
  const wait = /^\d+(\.\d+)?$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - Date.now();
  return wait > 0 ? new Date(Date.now() + Math.min(wait, LONGEST_WAIT_MS)) : undefined;
}

/**
 * True for 2xx; false for a status of `notFound`, which means that there was nothing.
 * @throws {StepError} for any other status. A URL at which nothing listens answers 404 or 410 as well.
 */
export function wasFound(response: Response, notFound: readonly number[]): boolean {
  const { ok, status } = response;
  if (ok) return true;
  if (notFound.includes(status)) return false;
  const reason = status === 404 || status === 410 ? `answered ${status}: ${LOOK}` : `answered ${status}`;
  throw new StepError(reason, { retryAt: retryAtOf(response) });
}
