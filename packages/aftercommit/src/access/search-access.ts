import { optional } from "../env/env.ts";
import { parseSearchKeys, type SearchKey } from "../env/search-keys.ts";
import { safeEqual } from "../safe-equal.ts";
import { isFromOtherSite } from "./is-from-other-site.ts";
import { requireBasicAuth } from "./require-basic-auth.ts";

/** Who searches: someone with the password, or a server with a key, which may be bound to a tenant. */
export type SearchAccess = { tenant: string | undefined };

const HEADERS = { "www-authenticate": 'Bearer realm="Aftercommit"', "cache-control": "no-store" };
const unauthorized = () => new Response("Unauthorized\n", { status: 401, headers: HEADERS });

const keys = (): SearchKey[] => {
  const text = optional("SEARCH_API_KEYS");
  return text === undefined ? [] : parseSearchKeys(text).keys;
};

/**
 * Who makes a request to a search route, or the response to someone who may not.
 * @throws {EnvironmentError} if SEARCH_API_KEYS is malformed: no key is accepted
 */
export function searchAccess(request: Request): SearchAccess | Response {
  if (isFromOtherSite(request.headers))
    return Response.json({ error: "Search does not answer pages of other sites" }, { status: 403 });
  const [, token] = /^bearer(?: +(.*))?$/i.exec(request.headers.get("authorization")?.trim() ?? "") ?? [];
  if (token !== undefined) {
    // All of them are compared, so the time says nothing.
    const [found] = keys().filter(({ key }) => safeEqual(token, key));
    return found ? { tenant: found.tenant } : unauthorized();
  }
  const refused = requireBasicAuth(request);
  if (!refused) return { tenant: undefined };
  return refused.status === 404 && keys().length > 0 ? unauthorized() : refused;
}
