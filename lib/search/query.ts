import { z } from "zod";
import { sources } from "../embeddings/sources.ts";

const MAX_LENGTH = 1_000;
const MAX_LIMIT = 50;

const TABLES: readonly string[] = sources.map(({ of }) => of.name);

const schema = z.object({
  in: z
    .string()
    .refine((name) => TABLES.includes(name))
    .default("posts"),
  q: z
    .string("is missing")
    .trim()
    .min(1, "is empty")
    .max(MAX_LENGTH, `is longer than ${MAX_LENGTH} characters`),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT)
    .optional()
    .transform((limit = 10) => limit),
});

export type SearchQuery = z.infer<typeof schema>;

/** A search cannot be made; the message names the parameter and is fit to be shown. */
export class InvalidSearchError extends Error {
  override readonly name = "InvalidSearchError";
}

/**
 * Reads the parameters of a search, `q` without the white space around it.
 * @throws {InvalidSearchError} when one is missing or out of bounds
 */
export function searchQuery(parameters: {
  q?: string | null;
  limit?: string | null;
  in?: string | null;
}): SearchQuery {
  const { q, limit, in: table } = parameters;
  const parsed = schema.safeParse({ q: q ?? undefined, limit: limit ?? undefined, in: table ?? undefined });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.path[0] === "limit")
    throw new InvalidSearchError(`limit: must be a whole number from 1 to ${MAX_LIMIT}`);
  if (issue?.path[0] === "in") throw new InvalidSearchError(`in: must be one of ${TABLES.join(", ")}`);
  throw new InvalidSearchError(`q: ${issue?.message}`);
}
