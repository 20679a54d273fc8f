import { createHash, timingSafeEqual } from "node:crypto";
import { ApiError } from "./api-error.ts";

/** Takes any bearer key, or only `apiKey` when there is one. Throws OpenAI's 401 otherwise. */
export function authorize(header: string | undefined, apiKey: string | undefined): void {
  const key = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (key === undefined) {
    throw new ApiError(401, {
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    });
  }
  if (apiKey !== undefined && !timingSafeEqual(digest(key), digest(apiKey))) {
    throw new ApiError(401, { message: "Incorrect API key provided.", code: "invalid_api_key" });
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
