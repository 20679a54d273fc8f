import { z } from "zod";
import { ApiError, serverError } from "./api-error.ts";
import type { Input } from "./protocol.ts";

const DAY_MS = 86_400_000;
const milliseconds = (most: number) => z.int().min(0).max(most);

/** The body of `POST /local/openai/faults`. Without `times`, the fault stays until it is replaced or cleared. */
export const faultSchema = z
  .strictObject({
    status: z.int().min(200).max(599).optional(),
    /** The exact body, instead of OpenAI's error, or of vectors if the status is 200. */
    body: z.string().optional(),
    code: z.string().min(1).optional(),
    retryAfterMs: milliseconds(7 * DAY_MS).optional(),
    delayMs: milliseconds(600_000).optional(),
    /** Breaks the connection instead of answering. */
    drops: z.literal(true).optional(),
    /** Spoils the vectors: one contains NaN, `index` is omitted if it is 0, all have the same `index`, or one is missing. */
    spoils: z.enum(["nan", "no index", "same index", "one short"]).optional(),
    /** Fails only requests with an input that contains this text, with 400 unless another fault is set. */
    containing: z.string().min(1).optional(),
    /** Whether that error names the input, as `param: "input[3]"`. */
    named: z.boolean().optional(),
    times: z.int().min(1).optional(),
  })
  .refine(
    ({ status, delayMs, drops, spoils, containing }) =>
      [status, delayMs, drops, spoils, containing].some((what) => what !== undefined),
    { message: "Set status, delayMs, drops, spoils or containing" },
  )
  .refine((fault) => fault.containing !== undefined || fault.named === undefined, {
    message: "named needs containing",
  })
  .refine(
    ({ status = 0, code, retryAfterMs, body }) =>
      status >= 400 || ((code ?? retryAfterMs) === undefined && (status === 0) === (body === undefined)),
    { message: "code and retryAfterMs need a status from 400 on, body any, and a status below 400 a body" },
  );

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
      if (!fault || (fault.containing !== undefined && placeOf(inputs, fault) === -1)) return undefined;
      if (fault.times !== undefined)
        current = fault.times > 1 ? { ...fault, times: fault.times - 1 } : undefined;
      return fault;
    },
  };
}

const placeOf = (inputs: readonly Input[], { containing }: Fault) =>
  inputs.findIndex(
    (input) => containing !== undefined && typeof input === "string" && input.includes(containing),
  );

/** An answer whose connection breaks after the first byte. */
const broken = () =>
  new Response(
    new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode("{")),
      pull: (stream) => stream.error(new Error("the connection was broken by a fault")),
    }),
    { headers: { "content-type": "application/json", "transfer-encoding": "chunked" } },
  );

/** The answer to a request instead of vectors; undefined if the fault still answers vectors. */
export function answerInstead(inputs: readonly Input[], fault: Fault): Response | undefined {
  const { status, body, containing, named, drops, spoils, delayMs } = fault;
  if (drops) return broken();
  if (status !== undefined && body !== undefined)
    return new Response(body, { status, headers: { "content-type": "application/json", ...waitOf(fault) } });
  if (status !== undefined) throw toApiError(status, fault);
  if (containing === undefined || spoils || delayMs !== undefined) return undefined;
  const input = named ? `input[${placeOf(inputs, fault)}]` : "input";
  throw new ApiError(400, {
    message: `Invalid '${input}': the text was refused.`,
    param: named ? input : null,
  });
}

type Item = { object: string; index?: number; embedding: Float32Array };

/** The vectors as spoiled by a fault, and how many of them are still good. */
export function spoil(
  inputs: readonly Input[],
  items: Item[],
  fault: Fault | undefined,
): { items: Item[]; good: number } {
  switch (fault?.spoils) {
    case "nan": {
      items[Math.max(0, placeOf(inputs, fault))]?.embedding.fill(Number.NaN, 0, 1);
      return { items, good: items.length - 1 };
    }
    case "no index":
      return {
        items: items.map(({ index, ...item }) => (index ? { ...item, index } : item)),
        good: items.length,
      };
    case "same index":
      return { items: items.map((item) => ({ ...item, index: 1 })), good: 0 };
    case "one short":
      return { items: items.slice(1), good: 0 };
    default:
      return { items, good: items.length };
  }
}

/** The error of a fault with a status, worded like https://platform.openai.com/docs/guides/error-codes. */
function toApiError(status: number, fault: Fault): ApiError {
  const { code } = fault;
  return new ApiError(
    status,
    { ...wording(status, code), ...(code === undefined ? {} : { code }) },
    waitOf(fault),
  );
}

const waitOf = ({ retryAfterMs }: Fault): Record<string, string> =>
  retryAfterMs === undefined
    ? {}
    : { "retry-after-ms": `${retryAfterMs}`, "retry-after": `${Math.ceil(retryAfterMs / 1_000)}` };

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
