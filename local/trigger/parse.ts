import type { z } from "zod";
import { ApiError } from "./errors.ts";

/** Throws ApiError 400 where the schema refuses the value. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new ApiError(400, fromZodError(parsed.error));
  return parsed.data;
}

/** One line about everything a schema refuses: `Validation error: <message> at "<path>"; …`. */
function fromZodError(error: z.ZodError): string {
  const issues = error.issues.map(({ message, path }) => {
    const place = path.map((part, i) =>
      typeof part === "number" ? `[${part}]` : `${i ? "." : ""}${String(part)}`,
    );
    return place.length > 0 ? `${message} at "${place.join("")}"` : message;
  });
  return `Validation error: ${issues.join("; ")}`;
}
