import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An API response that is not a success: `{ "error": message }`. */
export class ApiError extends HTTPException {
  override readonly name = "ApiError";
  readonly headers: Record<string, string>;

  constructor(status: ContentfulStatusCode, message: string, headers: Record<string, string> = {}) {
    super(status, { message });
    this.headers = headers;
  }
}

/** A business rule rejects a well-formed request. */
export function refused(message: string): ApiError {
  return new ApiError(422, message);
}
