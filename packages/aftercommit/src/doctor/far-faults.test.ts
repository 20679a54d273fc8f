import { readdirSync, readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { startSmtp } from "@/tests/helpers/deletions/smtp.ts";
import { startSystem, verifiedBy } from "@/tests/helpers/deletions/system-server.ts";
import { declarations, findingsOf, problemOf, problems, said } from "@/tests/helpers/doctor/diagnose.ts";
import { instead } from "@/tests/helpers/doctor/instead.ts";
import type { Fault } from "@/tests/helpers/faulty-server.ts";
import { onFreePort } from "@/tests/helpers/on-free-port.ts";
import { httpSystem } from "../deletions/http-system.ts";
import type { CheckId } from "./checks.ts";
import { diagnose } from "./diagnose.ts";

const SECRET = "the secret of the doctor's tests";
const json = { "content-type": "application/json" };
const taskIds = readdirSync("trigger").map((file) => file.replace(/\.ts$/, ""));

let smtp: Awaited<ReturnType<typeof startSmtp>>;
beforeAll(async () => {
  smtp = await startSmtp();
});
beforeEach(() => {
  const variables = {
    SEQUIN_WEBHOOK_SECRET: SECRET,
    TRIGGER_PROJECT_REF: "proj_tests",
    TRIGGER_SECRET_KEY: "tr_prod_of_the_tests",
    TRIGGER_EXTERNAL_DEPLOYMENT_ID: "v1",
    USER_DELETION_WEBHOOK_URLS: `crm=${smtp.url.replace("smtp://user:password@", "http://")}`,
    SMTP_URL: smtp.url,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => smtp.close());

describe("of a deployed Trigger.dev", () => {
  const item = (name: string) => ({
    ...{ id: `queue_${name}`, name, type: "task", running: 0, queued: 0, paused: false },
    ...{ version: "V2", concurrencyLimit: null },
  });
  const deployment = {
    ...{ id: "deployment_1", createdAt: new Date(), shortCode: "abc", version: "20260101.1" },
    ...{ runtime: "node-24", runtimeVersion: null, status: "DEPLOYED", externalId: "v1" },
  };
  const variables = ["DATABASE_URL", "OPENAI_API_KEY", "SMTP_URL", "MAIL_FROM", "USER_DELETION_WEBHOOK_URLS"]
    .concat("USER_DELETION_WEBHOOK_SECRET")
    .map((name) => ({ name, value: "<redacted>", isSecret: true }))
    .concat({ name: "USER_DELETION_SYSTEMS", value: "crm", isSecret: false });
  type Deployed = { items?: unknown[]; current?: unknown; there?: unknown; isOld?: boolean };

  /** Answers like the API, as far as the doctor uses it. */
  const deployed =
    ({ items = taskIds.map(item), current = deployment, there = variables, isOld }: Deployed): Fault =>
    (request, response) => {
      const pagination = { currentPage: 1, totalPages: 1, count: items.length };
      const answers: [RegExp, unknown][] = [
        [/\/queues/, { data: items, pagination }],
        [/\/concurrency-limits/, !isOld && { data: [], pagination }],
        [/\/deployments\/current/, current],
        [/\/projects\/proj_tests\/envvars\/prod$/, there],
      ];
      const body = answers.find(([path]) => path.test(request.url ?? ""))?.[1];
      response.writeHead(body ? 200 : 404, json).end(JSON.stringify(body || { error: "Not found" }));
    };
  const lacking = (name: string) => variables.filter((variable) => variable.name !== name);
  const other = variables.map((one) => (one.isSecret ? one : { ...one, value: "billing" }));
  it("nothing if all is well", async () => {
    expect(await instead("TRIGGER_API_URL", deployed({}), () => problems("trigger"))).toEqual([]);
  });

  it.each([
    [
      "trigger.key",
      "an old server",
      /older than 4\.7, it ignores concurrency limits.* → .* 4\.7 or newer$/,
      { isOld: true },
    ],
    [
      "trigger.tasks",
      "a missing task",
      RegExp(`: ${taskIds[0]} → npx .* deploy`),
      { items: taskIds.slice(1).map(item) },
    ],
    [
      "trigger.tasks",
      "no deployment",
      /^nothing is deployed → .* or set TRIGGER_SECRET_KEY/,
      { current: null },
    ],
    [
      "trigger.tasks",
      "another version",
      /v1, which .* → .* --external-id v1$/,
      { current: { ...deployment, externalId: "v0" } },
    ],
    [
      "trigger.variables",
      "another project",
      /^proj_tests is not .* → Set TRIGGER_SECRET_KEY and/,
      { there: null },
    ],
    [
      "trigger.variables",
      "a missing one",
      /^not set: SMTP_URL → .* deploy .* if trigger\.config\.ts has syncEnvVars .* dashboard$/,
      { there: lacking("SMTP_URL") },
    ],
    [
      "trigger.variables",
      "other systems",
      / crm, the tasks' billing → npx .* deploy .* syncEnvVars .* dashboard$/,
      { there: other },
    ],
  ] as const)("%s finds %s", async (id, _, says, state) => {
    expect(said(await instead("TRIGGER_API_URL", deployed(state), () => problemOf(id)))).toMatch(says);
  });
});

describe("of those who are notified of a deletion", () => {
  it("nothing where they can be reached", async () => {
    expect(await problems("deletions")).toEqual([]);
  });

  it("deletions.mail finds a login that is refused", async () => {
    smtp.behave({ replies: { AUTH: "535 5.7.8 no" } });
    const found = await problemOf("deletions.mail").finally(() => smtp.behave({}));
    expect(said(found)).toMatch(/535 5\.7\.8 no → Correct SMTP_URL/);
  });

  it("deletions.systems finds one that accepts no connection, and shows its name alone", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "billing=http://127.0.0.1:1/token-in-a-path");
    const found = said(await problemOf("deletions.systems"));
    expect(found).toMatch(/^billing: .*ECONNREFUSED.* → Correct its URL in USER_DELETION_WEBHOOK_URLS/);
    expect(found).not.toContain("token-in-a-path");
  });

  it("deletions.systems finds a declared system that accepts no connection", async () => {
    const request = () => ({ method: "DELETE", url: "http://127.0.0.1:1/users/0" });
    const of = [{ ...users, systems: [httpSystem({ name: "analytics", request })] }];
    expect(said(await problemOf("deletions.systems", { of }))).toMatch(/^analytics: .*ECONNREFUSED/);
  });

  it("deletions.systems finds a certificate that nobody vouches for", async () => {
    const pem = (name: string) => readFileSync(`tests/fixtures/tls/${name}.pem`);
    const server = createTlsServer({ key: pem("self-signed-key"), cert: pem("self-signed") });
    const { port, close } = await onFreePort(server);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=https://localhost:${port}/hook`);
    expect(said(await problemOf("deletions.systems").finally(close))).toMatch(/self-signed/);
  });
});

describe("of webhooks, where a person asks for test events", () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
  const systems = { crm: startSystem(), billing: startSystem(() => ({ status: 404 })) };
  afterAll(async () => {
    for (const system of Object.values(systems)) await (await system).close();
  });

  it("deletions.test names each that does not accept a signed one, and sends none otherwise", async () => {
    const [crm, billing] = await Promise.all([systems.crm, systems.billing]);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=${crm.url} billing=${billing.url}`);
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", secret);
    const only = ["deletions"];
    const find = async (testWebhooks: boolean) =>
      (await diagnose(declarations, { only, testWebhooks })).find(({ id }) => id === "deletions.test");
    expect(await find(false)).toMatchObject({ state: "skipped" });
    expect(crm.requests).toEqual([]);
    expect(await find(true)).toMatchObject({
      state: "failed",
      actual: expect.stringMatching(/^billing: answered 404: nothing is there/),
      fix: expect.stringContaining("switched on"),
    });
    expect(crm.types()).toEqual(["user.deletion_test"]);
    billing.behave(() => ({ status: 200 }));
    expect(await find(true)).toMatchObject({ state: "ok", actual: "accepted by crm, billing" });
    expect(crm.requests.map((request) => verifiedBy(secret, request))).toHaveLength(2);
  });
});

describe("of the app", () => {
  /** The app, or what is in front of it: its response to the right secret, and to anything else. */
  const app =
    (right: number, other: number, health = 200): Fault =>
    ({ url, headers }, response) => {
      const isRight = headers.authorization === `Bearer ${SECRET}`;
      const status = url === "/api/health" ? health : isRight ? right : other;
      const body = '{"triggered":0,"failing":["migrations"]}';
      response.writeHead(status, { ...json, location: "/login" }).end(body);
    };
  const page: Fault = ({ url }, response) =>
    void response.writeHead(200).end(url === "/api/health" ? "{}" : "<html>Log in</html>");

  it("nothing if all is well", async () => {
    expect(await instead("APP_URL", app(200, 401), () => problems("ingress"))).toEqual([]);
  });

  it("ingress.app finds that nobody says where it is, which ends the category", async () => {
    vi.stubEnv("APP_URL", "");
    const [found, ...others] = await findingsOf("ingress");
    expect(found).toMatchObject({ state: "warning", fix: expect.stringMatching(/^Set APP_URL/) });
    expect(others).toEqual([]);
  });

  it("ingress.app finds that it does not answer", async () => {
    vi.stubEnv("APP_URL", "http://127.0.0.1:1");
    expect(said(await problemOf("ingress.app"))).toMatch(/ → Start the app/);
  });

  it.each<[CheckId, what: string, says: RegExp, fault: Fault]>([
    ["ingress.app", "what the app says of itself", /503, failing: migrations → .* log/, app(200, 401, 503)],
    ["ingress.routes", "another secret", /401 to SEQUIN.* → Set the same SEQUIN/, app(401, 401)],
    ["ingress.routes", "an open route", /200 without a secret → .* authorization header/, app(200, 200)],
    ["ingress.routes", "a redirect", /redirects to \/login → .* where the redirect leads/, app(308, 308)],
    ["ingress.routes", "a login page", /200 with invalid JSON → .* login pages/, page],
    ["ingress.routes", "an error", /500 to an empty batch → .* log/, app(500, 401)],
  ])("%s finds %s", async (id, _, says, fault) => {
    expect(said(await instead("APP_URL", fault, () => problemOf(id)))).toMatch(says);
  });
});
