import type { DeletionDeclaration, EmbeddingDeclaration } from "../declare/declaration.ts";
import { declarationsOf } from "../declare/declarations.ts";
import { defineDeletion, defineEmbedding } from "../define.ts";
import type { Named } from "./files.ts";
import { rowOf, variableOf, words } from "./names.ts";
import type { Candidate } from "./propose.ts";

/** What a person wants: a table to search, one whose deleted rows are cleaned up, or both. */
export type Wanted = {
  embedding?: { candidate: Candidate; key: string; text: readonly [string, ...string[]] } | undefined;
  deletion?: { candidate: Candidate; email: string | undefined } | undefined;
};

const spelled = ({ schema, name }: Candidate) => `${schema}.${name}`;

/** Two declarations cannot share a row. The deletion keeps its name, because the external systems receive it. */
function embeddingOf({ embedding, deletion }: Wanted): Named<EmbeddingDeclaration> | undefined {
  if (!embedding) return undefined;
  const { candidate, key, text } = embedding;
  const row = rowOf(candidate.name);
  const isTaken = deletion && rowOf(deletion.candidate.name) === row;
  const names = isTaken
    ? { row: `${row}-text`, rows: `${row}-texts` }
    : { row, rows: words(candidate.name) === row ? undefined : words(candidate.name) };
  const declaration = defineEmbedding({
    ...names,
    table: spelled(candidate),
    key,
    text,
    columns: [text[0]],
  });
  return { name: variableOf(isTaken ? `${row}-texts` : candidate.name), declaration };
}

function deletionOf({ deletion }: Wanted): Named<DeletionDeclaration> | undefined {
  if (!deletion) return undefined;
  const { candidate, email } = deletion;
  const declaration = defineDeletion({
    row: rowOf(candidate.name),
    table: spelled(candidate),
    key: candidate.key,
    email,
  });
  return { name: variableOf(candidate.name), declaration };
}

/**
 * The declarations of what a person wants, with their names in aftercommit.config.ts.
 * @throws {DeclarationError} if there are none, or if they do not fit each other
 */
export function declare(wanted: Wanted): Named[] {
  const declared = [embeddingOf(wanted), deletionOf(wanted)].filter((named) => named !== undefined);
  declarationsOf(Object.fromEntries(declared.map(({ name, declaration }) => [name, declaration])));
  return declared;
}
