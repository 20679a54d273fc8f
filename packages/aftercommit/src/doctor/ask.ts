// Next.js compiles a route at its first request in development; Sequin itself waits for 30 s.
const LIMIT_MS = 20_000;

/**
 * Makes one request, a POST of JSON where there is a body, and follows no redirect. Rejects when there is no answer
 * within 20 s. `json` is undefined where the answer is not JSON.
 */
export async function ask(url: URL, { token, body }: { token?: string | undefined; body?: string } = {}) {
  const headers = new Headers(body === undefined ? {} : { "content-type": "application/json" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const request = { headers, redirect: "manual", signal: AbortSignal.timeout(LIMIT_MS) } as const;
  const response = await fetch(url, body === undefined ? request : { ...request, method: "POST", body });
  const json: unknown = await response.json().catch(() => undefined);
  return { status: response.status, location: response.headers.get("location") ?? "nowhere", json };
}
