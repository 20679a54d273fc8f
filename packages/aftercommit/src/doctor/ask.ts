// In development, Next.js compiles a route on its first request. Sequin itself waits 30 s.
const LIMIT_MS = 20_000;

/**
 * Sends one request (a JSON POST if there is a body) and follows no redirect. Rejects if there is no response within 20
 * s. `json` is undefined if the response is not JSON.
 */
export async function ask(url: URL, { token, body }: { token?: string | undefined; body?: string } = {}) {
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const request = { headers, redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS) } as const;
  const response = await fetch(url, body === undefined ? request : { ...request, method: "POST", body });
  const json: unknown = await response.json().catch(() => undefined);
  return { status: response.status, location: response.headers.get("location") ?? "nowhere", json };
}
