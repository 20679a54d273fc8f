import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { rootCodeOf } from "../errors.ts";
import { retryAfterMs } from "./classify-error.ts";

/** A failure that one text may have caused. */
export type Failure = APIError | EmbeddingShapeError;

/** Whether the status is about this request. 401, 403 and 404 are about all requests. */
export const isRefusal = (error: unknown) =>
  error instanceof APIError && [400, 413, 422].includes(error.status ?? 0);

/**
 * Whether one of the texts may have caused a failure: a rejected request, a server error (one text that makes NaN is a
 * 500), a connection that drops or is silent, a response that cannot be read. A server that says when to retry means
 * all requests.
 */
export function isOneTexts(error: unknown): error is Failure {
  if (error instanceof EmbeddingShapeError) return true;
  if (!(error instanceof APIError)) return false;
  const { status, headers } = error;
  // No response, or half of one.
  if (status === undefined) return true;
  const isFault = isRefusal(error) || status === 408 || status >= 500;
  return isFault && !(retryAfterMs(headers, new Date()) > 0);
}

const isUnreachable = (error: unknown) => rootCodeOf(error) === "ECONNREFUSED";

/** Whether a server accepted a request and broke the connection: the text may have crashed it. */
export const isDrop = (error: unknown) =>
  error instanceof APIConnectionError &&
  !(error instanceof APIConnectionTimeoutError) &&
  !isUnreachable(error);

/** Whether a server that went down is not back yet, or is loading its model. */
export const isStarting = (error: unknown) =>
  isUnreachable(error) || (error instanceof APIError && error.status === 503);

/** Which input a provider's error names, as in `input[3]`. */
export function namedInput(error: unknown, count: number): number | undefined {
  if (!(error instanceof APIError)) return undefined;
  const [, index] = /\binput\[(\d+)\]/.exec(`${error.param ?? ""} ${error.message}`) ?? [];
  return index !== undefined && Number(index) < count ? Number(index) : undefined;
}
