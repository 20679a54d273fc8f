import { z } from "zod";
import { ApiError, serverError } from "./api-error.ts";
import type { Input } from "./protocol.ts";

const milliseconds = z.int().min(0).max(600_000);

/** The body of `POST /local/openai/faults`. Without `times`, the fault stays until it is replaced or cleared. */
export const faultSchema = z
  .strictObject({
    status: z.int().min(400).max(599).optional(),
    code: z.string().min(1).optional(),
    retryAfterMs: milliseconds.optional(),
    delayMs: milliseconds.optional(),
    /** Rejects only requests with an input that contains this text, with 400. */
    containing: z.string().min(1).optional(),
    /** Whether that error names the input, as `param: "input[3]"`. */
    named: z.boolean().optional(),
    times: z.int().min(1).optional(),
  })
  .refine((fault) => (fault.status ?? fault.delayMs ?? fault.containing) !== undefined, {
    message: "Say a status, a delayMs or what is refused by containing",
  })
  .refine((fault) => fault.containing !== undefined || fault.named === undefined, {
    message: "named needs containing",
  })
  .refine((fault) => fault.containing === undefined || fault.status === undefined, {
    message: "What is refused by containing has a status of its own",
  })
  .refine((fault) => fault.status !== undefined || (fault.code ?? fault.retryAfterMs) === undefined, {
    message: "code and retryAfterMs need a status",
  });

export type Fault = z.infer<typeof faultSchema>;

/** Stores the fault that affects the next requests. */
export function createFaults() {
  let current: Fault | undefined;
  return {
    set(fault: Fault) {
      current = fault;
    },
    clear() {
      current = undefined;
    },
    /** The fault for a request with these inputs. */
    take(inputs: readonly Input[]): Fault | undefined {
      const fault = current;
      if (fault?.times === undefined) return fault;
      if (fault.containing !== undefined && fault.delayMs === undefined && !refusalOf(inputs, fault)) return;
      current = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined;
      return fault;
    },
  };
}

/** The error for a request with an input that a fault rejects; undefined if there is none. */
export function refusalOf(inputs: readonly Input[], { containing, named }: Fault): ApiError | undefined {
  if (containing === undefined) return undefined;
  const index = inputs.findIndex((input) => typeof input === "string" && input.includes(containing));
  if (index === -1) return undefined;
  const input = named ? `input[${index}]` : "input";
  return new ApiError(400, {
    message: `Invalid '${input}': the text was refused.`,
    param: named ? input : null,
  });
}

/** The error of a fault with a status, worded like https://platform.openai.com/docs/guides/error-codes. */
export function toApiError(status: number, { code, retryAfterMs }: Fault): ApiError {
  const headers =
    retryAfterMs === undefined
      ? undefined
      : { "retry-after-ms": `${retryAfterMs}`, "retry-after": `${Math.ceil(retryAfterMs / 1_000)}` };
  return new ApiError(status, { ...wording(status, code), ...(code === undefined ? {} : { code }) }, headers);
}

const WORDINGS: Record<number, ConstructorParameters<typeof ApiError>[1]> = {
  401: { message: "Incorrect API key provided.", code: "invalid_api_key" },
  429: { message: "Rate limit reached for requests", type: "requests", code: "rate_limit_exceeded" },
  503: { message: "The engine is currently overloaded, please try again later", type: "server_error" },
};

function wording(status: number, code: string | undefined) {
  if (code === "insufficient_quota") {
    const message = "You exceeded your current quota, please check your plan and billing details.";
    return { message, type: code };
  }
  return WORDINGS[status] ?? (status >= 500 ? serverError().body : { message: "The request was refused." });
}
