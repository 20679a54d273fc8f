import { Hono } from "hono";
import { proxy } from "hono/proxy";
import { serve } from "../../tests/helpers/serve.ts";

/** A server that passes every request on, and counts them by path. */
export async function countRequests(target: string) {
  const requests = new Map<string, number>();
  const app = new Hono().all("*", (c) => {
    const { pathname, search } = new URL(c.req.url);
    requests.set(pathname, (requests.get(pathname) ?? 0) + 1);
    return proxy(`${target}${pathname}${search}`, c.req);
  });
  const { url, close } = await serve([app]);
  return { url, requests, close };
}
