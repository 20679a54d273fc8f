/**
 * Whether a browser makes a request for a page of another site, or for a link on one. It sends the password of HTTP
 * Basic with it, so that site must not spend the provider's budget. All current browsers say where a request comes from
 * (W3C Fetch Metadata); a server does not.
 *
 * @example
 * if (isFromOtherSite(request.headers)) return new Response("Forbidden", { status: 403 });
 */
export function isFromOtherSite(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  return site !== null && site !== "same-origin" && site !== "none";
}
