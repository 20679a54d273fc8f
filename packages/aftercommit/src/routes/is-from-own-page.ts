/**
 * True when a request comes from a page of this app: a browser sends the password of HTTP Basic along with what any
 * other site has it post. All browsers of today say where a request comes from (W3C Fetch Metadata); those that do not
 * send at least the origin of a POST.
 */
export function isFromOwnPage(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  return origin !== null && URL.canParse(origin) && new URL(origin).host === request.headers.get("host");
}
