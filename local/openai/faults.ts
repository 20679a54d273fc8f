import { z } from "zod";
import { ApiError, serverError } from "./api-error.ts";

const milliseconds = z.int().min(0).max(600_000);

/** What `POST /local/openai/faults` takes. Without `times` it holds until it is replaced or cleared. */
export const faultSchema = z
  .strictObject({
    status: z.int().min(400).max(599).optional(),
    code: z.string().min(1).optional(),
    retryAfterMs: milliseconds.optional(),
    delayMs: milliseconds.optional(),
    times: z.int().min(1).optional(),
  })
  .refine((fault) => fault.status !== undefined || fault.delayMs !== undefined, {
    message: "Say a status, a delayMs or both",
  })
  .refine((fault) => fault.status !== undefined || (fault.code ?? fault.retryAfterMs) === undefined, {
    message: "code and retryAfterMs need a status",
  });

export type Fault = z.infer<typeof faultSchema>;

/** Holds the fault that the next calls meet. */
export function createFaults() {
  let current: Fault | undefined;
  return {
    set(fault: Fault) {
      current = fault;
    },
    clear() {
      current = undefined;
    },
    take(): Fault | undefined {
      const fault = current;
      if (fault?.times === undefined) return fault;
      current = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined;
      return fault;
    },
  };
}

/** The error that a fault with a status asks for, worded as https://platform.openai.com/docs/guides/error-codes. */
export function toApiError(status: number, { code, retryAfterMs }: Fault): ApiError {
  const headers =
    retryAfterMs === undefined
      ? undefined
      : { "retry-after-ms": `${retryAfterMs}`, "retry-after": `${Math.ceil(retryAfterMs / 1_000)}` };
  return new ApiError(status, { ...wording(status, code), ...(code === undefined ? {} : { code }) }, headers);
}

function wording(status: number, code: string | undefined): ApiError["body"] {
  if (code === "insufficient_quota") {
    return {
      message: "You exceeded your current quota, please check your plan and billing details.",
      type: "insufficient_quota",
      param: null,
      code,
    };
  }
  if (status === 429) {
    return {
      message: "Rate limit reached for requests",
      type: "requests",
      param: null,
      code: "rate_limit_exceeded",
    };
  }
  if (status === 401) {
    return {
      message: "Incorrect API key provided.",
      type: "invalid_request_error",
      param: null,
      code: "invalid_api_key",
    };
  }
  if (status === 503) {
    return {
      message: "The engine is currently overloaded, please try again later",
      type: "server_error",
      param: null,
      code: null,
    };
  }
  if (status >= 500) return serverError().body;
  return { message: "The request was refused.", type: "invalid_request_error", param: null, code: null };
}
