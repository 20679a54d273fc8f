/** The provider makes no vectors of a row's text; its words are the message. Recorded, and tried again ever more rarely. */
export class RefusedTextError extends Error {
  override readonly name = "RefusedTextError";
}
