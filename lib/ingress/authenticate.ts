import { createHash, timingSafeEqual } from "node:crypto";
import { optional, required } from "../env.ts";
import { RefusedRequestError } from "../errors.ts";

const digest = (text: string) => createHash("sha256").update(text).digest();

function bearerToken(header: string | null): string | undefined {
  return /^bearer +(.+)$/i.exec(header?.trim() ?? "")?.[1];
}

/**
 * Checks the bearer secret that Sequin sends as a static header (it signs nothing). During a rotation the previous
 * secret is good as well.
 * @throws {EnvironmentError} when SEQUIN_WEBHOOK_SECRET is not set: then no token at all is good
 * @throws {RefusedRequestError} 401 when the token is missing or wrong
 */
export function authenticate(request: Request): void {
  const secrets = [required("SEQUIN_WEBHOOK_SECRET"), optional("SEQUIN_WEBHOOK_SECRET_PREVIOUS")];
  const token = bearerToken(request.headers.get("authorization"));
  // Digests have one length, so the comparison takes the same time for any token.
  const good = secrets.map((secret) => secret && token && timingSafeEqual(digest(secret), digest(token)));
  if (!good.includes(true)) throw new RefusedRequestError(401, "Unauthorized");
}
