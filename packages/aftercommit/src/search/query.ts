import { z } from "zod";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";

const MAX_LENGTH = 1_000;
const MAX_LIMIT = 50;

const schema = z.object({
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

export type SearchQuery = z.infer<typeof schema> & { declaration: EmbeddingDeclaration };

/** A search is invalid. The message names the parameter and is safe to show. */
export class InvalidSearchError extends Error {
  override readonly name = "InvalidSearchError";
}

type Parameters = { q?: string | null; limit?: string | null; in?: string | null };

/**
 * Reads the parameters of a search, with `q` trimmed. `in` names a declared table by its plural name. Default: the
 * first one.
 * @throws {InvalidSearchError} if one is missing or out of range
 */
export function searchQuery(
  declarations: readonly EmbeddingDeclaration[],
  { q, limit, in: table }: Parameters,
): SearchQuery {
  const parsed = schema.safeParse({ q: q ?? undefined, limit: limit ?? undefined });
  const issue = parsed.error?.issues[0];
  if (issue?.path[0] === "limit")
    throw new InvalidSearchError(`limit: must be a whole number from 1 to ${MAX_LIMIT}`);
  if (!parsed.success) throw new InvalidSearchError(`q: ${issue?.message}`);
  const declaration = table ? declarations.find(({ rows }) => rows === table) : declarations[0];
  if (!declaration)
    throw new InvalidSearchError(`in: must be one of ${declarations.map(({ rows }) => rows).join(", ")}`);
  return { ...parsed.data, declaration };
}
