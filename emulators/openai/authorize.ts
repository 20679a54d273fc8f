import { sameSecret } from "@aftercommit/local-shared/same-secret.ts";
import { ApiError } from "./api-error.ts";

/** Accepts any bearer key, or only `apiKey` if there is one. Otherwise throws OpenAI's 401. */
export function authorize(header: string | undefined, apiKey: string | undefined): void {
  const key = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (key === undefined) {
    throw new ApiError(401, {
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using " +
        "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    });
  }
  if (apiKey !== undefined && !sameSecret(key, apiKey)) {
    throw new ApiError(401, { message: "Incorrect API key provided.", code: "invalid_api_key" });
  }
}
