/**
 * A declaration in aftercommit.config.ts is wrong, by itself or for this database. The message names the declaration,
 * the option and the fix.
 *
 * @example
 * // DeclarationError: aftercommit.config.ts, defineEmbedding({ row: "post" }), key: must name a column
 * if (error instanceof DeclarationError) console.error(error.message);
 */
export class DeclarationError extends Error {
  override readonly name = "DeclarationError";

  constructor(place: string, option: string, problem: string) {
    super(`aftercommit.config.ts, ${place}, ${option}: ${problem}`);
  }
}
