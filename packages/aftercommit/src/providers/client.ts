import OpenAI, { APIError } from "openai";
import type { z } from "zod";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { parsed, reasonIn } from "./read-error.ts";

type Post<T> = {
  baseURL: string;
  path: string;
  headers: Record<string, string | null>;
  body: object;
  timeoutMs: number;
  signal?: AbortSignal;
  /** The provider's name, for error messages. */
  name: string;
  schema: z.ZodType<T>;
};

// Google's delay is in the body: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
const RETRY_DELAY = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/;

/**
 * fetch for the SDK. The timeout also covers the body, and an error gets OpenAI's form, so that its message has the
 * server's own reason.
 */
const readingFetch: typeof fetch = async (url, init) => {
  const response = await fetch(url, init);
  const text = await response.text();
  const { status } = response;
  if (response.ok) return new Response(text || null, { status, headers: response.headers });
  const headers = new Headers(response.headers);
  headers.set("content-type", "application/json");
  const [, seconds] = RETRY_DELAY.exec(text) ?? [];
  if (seconds && !headers.has("retry-after")) headers.set("retry-after", seconds);
  const error = reasonIn(parsed(text)) ?? { message: response.statusText || "no reason given" };
  return new Response(JSON.stringify({ error }), { status, headers });
};

/** The status that an error in an HTTP 200 response stands for: its code, if that is a status, as OpenRouter's is. */
function statusOf(code: unknown): number {
  const status = Number(code);
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 502;
}

/**
 * Posts a request to a provider, once, and reads its response.
 * @throws {OpenAI.APIError} with the provider's reason, even if it answered 200 with an error
 * @throws {EmbeddingShapeError} if the response does not match `schema`
 */
export async function post<T>(options: Post<T>): Promise<{ answer: T; headers: Headers }> {
  const { baseURL, path, headers, body, timeoutMs, signal, name, schema } = options;
  const client = new OpenAI({
    // The headers contain the key, whatever a provider calls it.
    apiKey: "none",
    organization: null,
    project: null,
    baseURL,
    defaultHeaders: { authorization: null, ...headers },
    maxRetries: 0,
    timeout: timeoutMs,
    fetch: readingFetch,
  });
  const response = await client.post(path, { body, ...(signal && { signal }) }).asResponse();
  const data = parsed(await response.text());
  const answer = schema.safeParse(data);
  if (answer.success) return { answer: answer.data, headers: response.headers };
  const reason = typeof data === "string" ? undefined : reasonIn(data);
  if (reason) throw APIError.generate(statusOf(reason.code), { error: reason }, undefined, response.headers);
  const what =
    typeof data === "string" ? reasonIn(data)?.message.slice(0, 100) : answer.error.issues[0]?.message;
  throw new EmbeddingShapeError(`${name} gave an unexpected answer: ${what ?? "it is empty"}`);
}
