import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import { ApiError } from "./errors.ts";
import { parse } from "./parse.ts";

/** Responds with a body that the clients' own schema accepts. If it does not, that is our bug and a 500. */
export function answer<S extends z.ZodType>(
  c: Context,
  schema: S,
  body: z.input<S>,
  status: ContentfulStatusCode = 200,
  headers: Record<string, string> = {},
): Response {
  return c.body(JSON.stringify(schema.parse(body)), status, {
    "content-type": "application/json",
    ...headers,
  });
}

/**
 * The request's body, parsed as JSON whatever its content type says: the CLI sends some of it as text/plain.
 * @throws ApiError 400 if it is not JSON or does not match the schema
 */
export async function readBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  let json: unknown;
  try {
    json = await c.req.json();
  } catch {
    throw new ApiError(400, "Invalid JSON");
  }
  return parse(schema, json);
}

/** Like {@link readBody} for a request that may come without a body. */
export async function readOptionalBody<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  const text = await c.req.text();
  if (text.trim() === "") return parse(schema, {});
  return readBody(c, schema);
}
