import type { z } from "zod";
import { fromZodError } from "zod-validation-error";
import { ApiError } from "./errors.ts";

/** Throws ApiError 400 if the schema rejects the value. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ApiError(400, fromZodError(parsed.error).message);
  return parsed.data;
}
