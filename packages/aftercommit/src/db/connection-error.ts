/** The database cannot be used as it is configured. `remedy` is what to change: a variable, a parameter or statements. */
export class ConnectionError extends Error {
  override readonly name: string = "ConnectionError";
  readonly reason: string;
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(`${reason}. ${remedy}`);
    this.reason = reason;
    this.remedy = remedy;
  }
}
