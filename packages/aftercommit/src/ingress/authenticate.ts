import { optional, required } from "../env/env.ts";
import type { VariableName } from "../env/variables.ts";
import { RefusedRequestError } from "../errors.ts";
import { safeEqual } from "../safe-equal.ts";

function bearerToken(header: string | null): string | undefined {
  return /^bearer +(.+)$/i.exec(header?.trim() ?? "")?.[1];
}

/**
 * Checks the bearer secret that a source sends as a static header. During a rotation, the previous secret is accepted
 * as well.
 * @throws {EnvironmentError} if the secret is not set: no token is accepted
 * @throws {RefusedRequestError} 401 if the token is missing or wrong
 */
export function authenticate(request: Request, name: VariableName, previous?: VariableName): void {
  const secrets = [required(name), previous && optional(previous)];
  const token = bearerToken(request.headers.get("authorization"));
  const good = secrets.map((secret) => secret && token && safeEqual(token, secret));
  if (!good.includes(true)) throw new RefusedRequestError(401, "Unauthorized");
}
