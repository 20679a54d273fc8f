import * as z from "zod";

/** Why a server rejected a request, in the form of OpenAI's `error`. */
export type Reason = {
  message: string;
  code?: string | number | undefined;
  type?: string | undefined;
  param?: string | undefined;
};

const LONGEST = 500;

const word = z.string().optional().catch(undefined);
const schema = z.looseObject({
  error: z.unknown().optional(),
  errors: z.unknown().optional(),
  detail: z.unknown().optional(),
  message: word,
  msg: word,
  loc: z
    .array(z.union([z.string(), z.number()]))
    .optional()
    .catch(undefined),
  code: z.union([z.string(), z.number()]).optional().catch(undefined),
  type: word,
  param: word,
});

/** A body as JSON, or its text. */
export function parsed(body = ""): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

/** The text of a body that is not JSON: usually a proxy's page. */
const textOf = (body: string) =>
  body
    .slice(0, 4 * LONGEST)
    .replace(/<[^<>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, LONGEST);

/** The place of an error in FastAPI's form, `["body", "input", 3]`, as `input[3]`. */
const placeOf = (loc: readonly (string | number)[]) =>
  loc
    .filter((part) => part !== "body")
    .map((part) => (typeof part === "number" ? `[${part}]` : part))
    .join("");

/**
 * The reason in the body of a response, in any form: OpenAI's `{ error: { message } }`, Gemini's `[{ error }]`,
 * Ollama's `{ error: "…" }`, Cohere's `{ message }`, Voyage's `{ detail: "…" }`, FastAPI's
 * `{ detail: [{ loc, msg }] }`, or text. Undefined if there is none.
 */
export function reasonIn(body: unknown): Reason | undefined {
  if (typeof body === "string") {
    const message = textOf(body);
    return message ? { message } : undefined;
  }
  if (Array.isArray(body)) return reasonIn(body[0]);
  const parsed = schema.safeParse(body);
  if (!parsed.success) return undefined;
  const { error, errors, detail, message, msg, loc = [], ...of } = parsed.data;
  const { code, type, param } = of;
  // In a framework's `{ error: "Bad Request", message: "…" }`, the message says more.
  const inner = typeof error === "string" ? undefined : reasonIn(error);
  if (inner) return inner;
  if (message) return { message, code, type, param };
  const place = placeOf(loc);
  if (msg) return { message: place ? `${place}: ${msg}` : msg, type, param: place };
  return reasonIn(error) ?? reasonIn(detail) ?? reasonIn(errors);
}
