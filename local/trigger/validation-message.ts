import type { z } from "zod";

/** One line about everything a schema refuses: `Validation error: <message> at "<path>"; …`. */
export function fromZodError(error: z.ZodError): string {
  const issues = error.issues.map(({ message, path }) => {
    const place = path.map((part, i) =>
      typeof part === "number" ? `[${part}]` : `${i ? "." : ""}${String(part)}`,
    );
    return place.length > 0 ? `${message} at "${place.join("")}"` : message;
  });
  return `Validation error: ${issues.join("; ")}`;
}
