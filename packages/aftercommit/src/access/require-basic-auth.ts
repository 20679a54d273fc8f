import { optional } from "../env/env.ts";
import { safeEqual } from "../safe-equal.ts";

/** The password of an HTTP Basic header (RFC 7617), whatever the user name. */
function passwordOf(header: string | null): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header?.trim() ?? "")?.[1];
  const pair = encoded && Buffer.from(encoded, "base64").toString("utf8");
  return pair ? /^[^:]*:(.*)$/s.exec(pair)?.[1] : undefined;
}

/**
 * The response to a client who may not see the status page or search: 404 if DASHBOARD_PASSWORD is not set, 401 if the
 * request does not carry it. Undefined if the client may, and always in development, where Next.js listens on loopback.
 *
 * @example
 * export const proxy = (request: Request) => requireBasicAuth(request) ?? NextResponse.next();
 */
export function requireBasicAuth(request: Request): Response | undefined {
  if (process.env.NODE_ENV !== "production") return undefined;
  const password = optional("DASHBOARD_PASSWORD");
  if (password === undefined)
    return new Response("Not Found\n", { status: 404, headers: { "cache-control": "no-store" } });
  const given = passwordOf(request.headers.get("authorization"));
  if (given !== undefined && safeEqual(given, password)) return undefined;
  return new Response("Unauthorized\n", {
    status: 401,
    headers: {
      "www-authenticate": 'Basic realm="Aftercommit", charset="UTF-8"',
      "cache-control": "no-store",
    },
  });
}
