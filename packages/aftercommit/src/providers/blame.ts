import { APIConnectionError, APIConnectionTimeoutError, APIError } from "openai";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { rootOf } from "../errors.ts";
import { retryAfterMs } from "./classify-error.ts";

/** What may be the fault of one text. */
export type Failure = APIError | EmbeddingShapeError;

/** About the request itself; 401, 403 and 404 are about all requests. */
export const isRefusal = (error: unknown) =>
  error instanceof APIError && [400, 413, 422].includes(error.status ?? 0);

/**
 * Whether a failure may be the fault of one of the texts: a refusal, an error of the server (one text that makes NaN is a
 * 500), a connection that drops or is silent, an answer that cannot be read. A server that says when to come back means
 * everybody.
 */
export function isOneTexts(error: unknown): error is Failure {
  if (error instanceof EmbeddingShapeError) return true;
  if (!(error instanceof APIError)) return false;
  const { status, headers } = error;
  // No answer, or half of one.
  if (status === undefined) return true;
  const isFault = isRefusal(error) || status === 408 || status >= 500;
  return isFault && !(retryAfterMs(headers, new Date()) > 0);
}

const isUnreachable = (error: unknown) => {
  const root = rootOf(error);
  return root instanceof Error && "code" in root && root.code === "ECONNREFUSED";
};

/** Whether a server took a request and broke the connection: the text may have killed it. */
export const isDrop = (error: unknown) =>
  error instanceof APIConnectionError &&
  !(error instanceof APIConnectionTimeoutError) &&
  !isUnreachable(error);

/** Whether a server that went down is not back yet, or loads its model. */
export const isStarting = (error: unknown) =>
  isUnreachable(error) || (error instanceof APIError && error.status === 503);

/** Which input a provider complains of, as in `input[3]`. */
export function namedInput(error: unknown, count: number): number | undefined {
  if (!(error instanceof APIError)) return undefined;
  const [, index] = /\binput\[(\d+)\]/.exec(`${error.param ?? ""} ${error.message}`) ?? [];
  return index !== undefined && Number(index) < count ? Number(index) : undefined;
}
