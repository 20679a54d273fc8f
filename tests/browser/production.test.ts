import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { posts } from "../../drizzle/schema.ts";
import { complaintsOf, describeInBrowser, keepScreenshot } from "../helpers/browser/chromium.ts";
import { launchChromium } from "../helpers/browser/launch-chromium.ts";
import { buildApp, startApp } from "../helpers/browser/production.ts";
import { cloneProject } from "../helpers/clone.ts";
import { ROOT } from "../helpers/documents.ts";
import { databaseForTests } from "../helpers/posts-database.ts";
import { providerForTests } from "../helpers/providers/hashing-provider.ts";
import { startTriggerServer } from "../helpers/trigger-server.ts";

const PASSWORD = "correct horse";
const SECRET = "sequin secret";
const AUTHORIZATION = `Basic ${Buffer.from(`me:${PASSWORD}`).toString("base64")}`;

const database = databaseForTests();
providerForTests();

// CI has made the build here.
let folder = ROOT;
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let app: Awaited<ReturnType<typeof startApp>>;

function variables(): Record<string, string> {
  const { DATABASE_URL = "", OPENAI_BASE_URL = "", OPENAI_API_KEY = "" } = process.env;
  return {
    DATABASE_URL,
    OPENAI_BASE_URL,
    OPENAI_API_KEY,
    SEQUIN_WEBHOOK_SECRET: SECRET,
    TRIGGER_SECRET_KEY: "tr_prod_tests",
    TRIGGER_API_URL: trigger.url,
    TRIGGER_PROJECT_REF: "proj_tests",
    USER_DELETION_WEBHOOK_URLS: "none",
  };
}

beforeAll(async () => {
  trigger = await startTriggerServer("tr_prod_tests");
  if (!process.env.TEST_BUILT) {
    folder = cloneProject();
    await buildApp(folder);
  }
  await database.db.insert(posts).values({ title: "A secret title", body: "Body", author: "Alice" });
  app = await startApp(folder, { ...variables(), DASHBOARD_PASSWORD: PASSWORD });
});
afterAll(async () => {
  await app?.stop();
  await trigger?.close();
  if (folder !== ROOT) await rm(folder, { recursive: true, force: true });
});

const ask = (path: string, init: RequestInit = {}) => fetch(app.url + path, { redirect: "manual", ...init });

describe("the production build", () => {
  it.each(["/", "/api/search?q=secret", "/?_rsc=1", "/?q=secret"])(
    "asks for the password before %s, and takes it",
    async (path) => {
      const unauthorized = await ask(path);
      expect(unauthorized.status).toBe(401);
      expect(unauthorized.headers.get("www-authenticate")).toMatch(/^Basic /);
      const rsc = await ask(path, { headers: { rsc: "1", "next-router-prefetch": "1" }, redirect: "follow" });
      expect(rsc.status).toBe(401);
      expect((await ask(path, { headers: { authorization: AUTHORIZATION } })).status).toBe(200);
    },
  );

  it.each(["/added", "/api/added", "/api/delete-user/added"])(
    "asks for the password before %s, which nobody has opened",
    async (path) => {
      expect((await ask(path)).status).toBe(401);
      const { status } = await ask(path, { headers: { authorization: AUTHORIZATION } });
      // The route of all declarations takes any name, by POST.
      expect([404, 405]).toContain(status);
    },
  );

  it.each([
    "//",
    "/index",
    "/index.html",
    "/index.rsc",
    "/index.txt",
    "/./",
    "/%2e/",
    "/api/search/?q=secret",
    "/api//search?q=secret",
    "/API/search?q=secret",
    "/api/search.rsc?q=secret",
    "/api/%73earch?q=secret",
    "/_next/data/build/index.json",
  ])("tells an unauthenticated client nothing at %s", async (path) => {
    const disguises: Record<string, string>[] = [
      {},
      { rsc: "1" },
      { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" },
    ];
    for (const headers of disguises) {
      const answer = await ask(path, { headers });
      expect(answer.status).not.toBe(200);
      expect(await answer.text()).not.toMatch(/secret title|results/);
    }
  });

  it("does not have the page and search without a password", async () => {
    const closed = await startApp(folder, variables());
    for (const path of ["/", "/api/search?q=secret"]) {
      const answer = await fetch(closed.url + path, { headers: { authorization: AUTHORIZATION } });
      expect(answer.status).toBe(404);
    }
    expect((await fetch(`${closed.url}/api/health`)).status).toBe(200);
    await closed.stop();
  });

  it("tells anyone that it is healthy, and nothing more", async () => {
    const answer = await ask("/api/health");
    expect([answer.status, await answer.json()]).toEqual([200, { status: "ok" }]);
  });

  it("passes a delivery of 12 MB whole to the ingress, which asks for its own secret", async () => {
    const message = { action: "delete", record: { id: 1, body: "x".repeat(12_000_000) }, metadata: {} };
    const body = JSON.stringify({ data: [message] });
    const path = "/api/create-embedding-for-post";
    expect((await ask(path, { method: "POST", body })).headers.get("www-authenticate")).toBe("Bearer");
    const headers = { authorization: `Bearer ${SECRET}` };
    const answer = await ask(path, { method: "POST", body, headers });
    expect(await answer.json()).toMatchObject({ triggered: 1, ignored: 0 });
  });

  it.each(["/", "/api/search?q=secret", "/api/health", "/api/delete-user", "/nothing-there"])(
    "forbids frames, other origins, guessing of types and devices at %s, also to strangers",
    async (path) => {
      for (const headers of [{ authorization: AUTHORIZATION }, { authorization: "" }]) {
        const answer = await ask(path, { headers });
        expect(answer.headers.get("content-security-policy")).toMatch(/frame-ancestors 'none'/);
        expect(answer.headers.get("content-security-policy")).not.toMatch(/unsafe/);
        expect(Object.fromEntries(answer.headers)).toMatchObject({
          "x-content-type-options": "nosniff",
          "x-frame-options": "DENY",
          "referrer-policy": "same-origin",
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
          "permissions-policy": expect.stringContaining("camera=()"),
        });
        expect(answer.headers.get("x-powered-by")).toBeNull();
        if (path !== "/nothing-there") expect(answer.headers.get("cache-control")).toMatch(/no-store/);
      }
    },
  );

  it("lets only scripts with the nonce of this answer run on the page", async () => {
    const policyOf = async () =>
      (await ask("/", { headers: { authorization: AUTHORIZATION } })).headers.get("content-security-policy");
    const [first, second] = [await policyOf(), await policyOf()];
    expect(first).toMatch(/script-src 'self' 'nonce-[^']+' 'strict-dynamic'/);
    expect(first).not.toBe(second);
  });

  it("logs wrong passwords and secrets once a minute, and accepts the right password between them", async () => {
    const wrong = { authorization: `Basic ${Buffer.from("me:wrong").toString("base64")}` };
    const refused = Array.from({ length: 40 }, () => ask("/", { headers: wrong }));
    const page = await ask("/", { headers: { authorization: AUTHORIZATION } });
    expect(page.status).toBe(200);
    expect(new Set((await Promise.all(refused)).map(({ status }) => status))).toEqual(new Set([401]));
    await Promise.all(["/api/delete-user", "/api/delete-user"].map((path) => ask(path, { method: "POST" })));
    const logged = (route: string) => app.output().split(`"event":"access.unauthorized","route":"${route}"`);
    await expect.poll(() => [logged("/").length, logged("/api/delete-user").length]).toEqual([2, 2]);
  });
});

type Vitals = { lcp: number; cls: number };

// Next.js' own web vitals need a callback in the page; the browser keeps the same entries.
const VITALS = `new Promise((resolve) => {
  const vitals = { lcp: 0, cls: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) vitals.lcp = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) vitals.cls += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(vitals), 5000);
})`;

describeInBrowser("the production build in a browser", () => {
  it.each(["/", "/?q=secret"])(
    "loads %s without a complaint or a shift, and says its weight",
    async (path) => {
      const browser = await launchChromium();
      const context = await browser.newContext({ httpCredentials: { username: "me", password: PASSWORD } });
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const sizes: Promise<number>[] = [];
      page.on("requestfinished", (request) => {
        if (!request.url().includes("_rsc") && !request.url().endsWith("/api/health"))
          sizes.push(request.sizes().then((size) => size.responseHeadersSize + size.responseBodySize));
      });
      await page.goto(app.url + path);
      const { lcp, cls } = await page.evaluate<Vitals>(VITALS);
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      console.log(
        `${path}: ${Math.round(bytes / 1000)} kB in ${sizes.length} requests, LCP ${Math.round(lcp)} ms, CLS ${cls.toFixed(3)}`,
      );
      await keepScreenshot(page, path === "/" ? "production-status" : "production-results");
      expect(complaints).toEqual([]);
      expect(lcp).toBeGreaterThan(0);
      expect(cls).toBeLessThan(0.01);
      await browser.close();
    },
  );
});
