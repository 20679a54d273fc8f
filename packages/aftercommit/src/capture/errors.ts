/** Capture cannot work with this database, and a person has to change something. The message says what. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}
