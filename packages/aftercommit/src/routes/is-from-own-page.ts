/**
 * True if a request comes from a page of this app. A browser also sends the password of HTTP Basic with what any other
 * site makes it post. All current browsers say where a request comes from (W3C Fetch Metadata); older ones at least
 * send the origin of a POST.
 */
export function isFromOwnPage(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  return origin !== null && URL.canParse(origin) && new URL(origin).host === request.headers.get("host");
}
