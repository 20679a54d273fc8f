/**
 * A declaration in aftercommit.config.ts is wrong, by itself or for this database. The message names the declaration,
 * the option and the fix.
 */
export class DeclarationError extends Error {
  override readonly name = "DeclarationError";

  constructor(place: string, option: string, problem: string) {
    super(`aftercommit.config.ts, ${place}, ${option}: ${problem}`);
  }
}
