import type { Database } from "../../db/client.ts";
import type { DeletionDeclaration } from "../../declare/declaration.ts";
import { canonicalKey } from "../../ingress/row-id.ts";
import { keyTypeOf } from "../../source.ts";

/** The row that a command is about: the declaration, and the row's key as the ledger stores it. */
export type Target = { declaration: DeletionDeclaration; source: string; rowId: string };

export type CommandContext = {
  db: Database;
  declarations: readonly DeletionDeclaration[];
  say: (line: string) => void;
};

/** A row in words: `user 7`. */
export const nameOf = ({ source, rowId }: { source: string; rowId: string }) =>
  `${source.replaceAll("-", " ")} ${rowId}`;

/** The row that the options name, such as `--user 7`. Rejects if they name none, several, or an invalid key. */
export async function targetOf(
  values: Readonly<Record<string, unknown>>,
  { db, declarations }: CommandContext,
): Promise<Target> {
  const named = declarations.filter(({ row }) => typeof values[row] === "string");
  const [declaration, ...others] = named;
  if (!declaration || others.length > 0)
    throw new Error(`Which row? ${declarations.map(({ row }) => `--${row} ID`).join(" or ")}`);
  const text = String(values[declaration.row]);
  const rowId = canonicalKey(text, await keyTypeOf(db, declaration), `--${declaration.row}`);
  return { declaration, source: declaration.row, rowId };
}
