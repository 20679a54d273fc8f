import { Webhook } from "standardwebhooks";
import { required } from "../env/env.ts";
import type { VariableName } from "../env/variables.ts";
import { RefusedRequestError } from "../errors.ts";

/**
 * Checks a signature of standardwebhooks.com, which is at most five minutes old.
 * @throws {EnvironmentError} if the secret is not set
 * @throws {RefusedRequestError} 401 if the signature is missing, wrong or old
 */
export function verifySignature(headers: Headers, text: string, name: VariableName): void {
  const webhook = new Webhook(required(name));
  try {
    webhook.verify(text, Object.fromEntries(headers), { jsonParse: false });
  } catch (cause) {
    throw new RefusedRequestError(401, "Unauthorized", { cause });
  }
}
