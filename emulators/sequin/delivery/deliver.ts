import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { type Connections, exchange, type HttpAnswer, readText } from "./exchange.ts";

export type Outcome = {
  acknowledged: boolean;
  /** The status of the final response; null if there was none. */
  status: number | null;
  /** The beginning of the response's body, or the error. */
  answer: string;
  /** The error, if it makes Sequin's own failure handler fail: the message stays in flight. */
  stuck?: string;
};

export type DeliverOptions = {
  url: string;
  headers: Record<string, string>;
  timeoutMs: number;
  /** Before the one retry within a delivery: 500 in Sequin, 15 % more or less. */
  quickRetryMs: number;
  signal: AbortSignal;
};

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const RETRIED_ERRORS = new Set(["ETIMEDOUT", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);
const ANSWER_LENGTH = 1000;

/**
 * One delivery of a body: the POST, its redirects with the POST repeated, and one quick retry. A 2xx as the final
 * response acknowledges it. A body that claims to be JSON and is not, too many redirects, and a bad certificate are
 * errors that Sequin cannot record, so the message is stuck (lib/sequin/runtime/http_push_pipeline.ex,
 * lib/sequin/health/health.ex:316; lib/req/steps.ex of req 0.5.15). Rejects only if aborted.
 */
export async function deliver(json: string, options: DeliverOptions, via: Connections): Promise<Outcome> {
  const headers = withDefaults(options.headers);
  const gzip = headers["content-encoding"]?.toLowerCase() === "gzip";
  const body = gzip ? gzipSync(json) : Buffer.from(json);
  let url = new URL(options.url);
  let redirects = 0;
  let retried = false;

  for (;;) {
    const reply = await attempt(() => exchange({ ...options, url, headers, body }, via), options.signal);
    const delay = retried ? null : retryDelay(reply, options.quickRetryMs);
    if (delay !== null) {
      retried = true;
      await wait(delay, undefined, { signal: options.signal });
      continue;
    }
    if ("error" in reply) return failed(reply.error);
    const location = REDIRECTS.has(reply.status) ? reply.headers.location : undefined;
    if (location === undefined) return judge(reply);
    if (++redirects > MAX_REDIRECTS) {
      const stuck = `more than ${MAX_REDIRECTS} redirects`;
      return { acknowledged: false, status: reply.status, answer: stuck, stuck };
    }
    const next = new URL(location, url);
    // Only this header is dropped for another host; other secrets are sent on, as from Sequin.
    if (next.origin !== url.origin) delete headers.authorization;
    url = next;
  }
}

function withDefaults(headers: Record<string, string>): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json",
    "accept-encoding": "zstd, gzip",
    "user-agent": "req/0.5.15",
    ...headers,
  };
}

type Reply = HttpAnswer | { error: NodeJS.ErrnoException };

async function attempt(send: () => Promise<HttpAnswer>, signal: AbortSignal): Promise<Reply> {
  try {
    return await send();
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error;
    return { error };
  }
}

function retryDelay(reply: Reply, quickRetryMs: number): number | null {
  const quick = quickRetryMs * (0.85 + 0.3 * Math.random());
  if ("error" in reply) return RETRIED_ERRORS.has(reply.error.code ?? "") ? quick : null;
  if (!RETRIED.has(reply.status)) return null;
  const told = reply.status === 429 || reply.status === 503 ? reply.headers["retry-after"] : undefined;
  return told === undefined ? quick : readRetryAfter(told, quick);
}

function readRetryAfter(told: string, otherwise: number): number {
  if (/^\d+$/.test(told)) return Number(told) * 1000;
  const at = Date.parse(told);
  return Number.isNaN(at) ? otherwise : Math.max(0, at - Date.now());
}

function judge(reply: HttpAnswer): Outcome {
  const success = reply.status >= 200 && reply.status <= 299;
  let text = "";
  try {
    text = readText(reply);
    if (text !== "" && claimsJson(reply)) JSON.parse(text);
    return { acknowledged: success, status: reply.status, answer: text.slice(0, ANSWER_LENGTH) };
  } catch (error) {
    const stuck =
      text === "" ? "a body that cannot be decompressed" : "a body that claims to be JSON and is not";
    const reason = error instanceof Error ? error.message : String(error);
    const answer = `${stuck}: ${reason}\n${text}`.trimEnd().slice(0, ANSWER_LENGTH);
    return { acknowledged: false, status: reply.status, answer, stuck };
  }
}

/** OpenSSL's errors for a certificate that does not verify. */
const BAD_CERTIFICATE = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

function failed(error: NodeJS.ErrnoException): Outcome {
  const answer = describe(error);
  const stuck = BAD_CERTIFICATE.test(error.code ?? "") ? "a certificate that does not verify" : undefined;
  return { acknowledged: false, status: null, answer, stuck };
}

function claimsJson(reply: HttpAnswer): boolean {
  // Node 20 cannot decompress zstd, so such a body cannot be judged.
  if (reply.headers["content-encoding"]?.toLowerCase() === "zstd") return false;
  return /^application\/(json|[^;]+\+json)\s*(;|$)/i.test(reply.headers["content-type"] ?? "");
}

function describe(error: NodeJS.ErrnoException): string {
  return [error.code, error.message].filter(Boolean).join(": ").slice(0, ANSWER_LENGTH);
}
