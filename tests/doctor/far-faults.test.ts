import { readdirSync, readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startSmtp } from "../deletions/smtp.ts";
import type { Fault } from "../faulty-server.ts";
import { onFreePort } from "../on-free-port.ts";
import { onlyProblem, problems } from "./diagnose.ts";
import { instead } from "./instead.ts";

const SECRET = "the secret of the doctor's tests";
const json = { "content-type": "application/json" };
const taskIds = readdirSync("trigger").map((file) => file.replace(/\.ts$/, ""));

beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", SECRET);
  vi.stubEnv("TRIGGER_PROJECT_REF", "proj_tests");
  vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "crm=https://crm.example.com/hook");
});
afterEach(() => vi.unstubAllEnvs());

describe("of a deployed Trigger.dev it finds", () => {
  const item = (name: string) => ({
    ...{ id: `queue_${name}`, name, type: "task", running: 0, queued: 0, paused: false },
    ...{ version: "V2", concurrencyLimit: null },
  });
  const deployment = {
    ...{ id: "deployment_1", createdAt: new Date(), shortCode: "abc", version: "20260101.1" },
    ...{ runtime: "node-22", runtimeVersion: null, status: "DEPLOYED", externalId: "v1" },
  };
  const variables = ["DATABASE_URL", "OPENAI_API_KEY", "SMTP_URL", "MAIL_FROM", "USER_DELETION_WEBHOOK_URLS"]
    .concat("USER_DELETION_WEBHOOK_SECRET")
    .map((name) => ({ name, value: "<redacted>", isSecret: true }))
    .concat({ name: "USER_DELETION_SYSTEMS", value: "crm", isSecret: false });
  type Deployed = { items?: unknown[]; current?: unknown; there?: unknown };

  /** Answers as the API does, as far as the doctor asks. */
  const deployed =
    ({ items = taskIds.map(item), current = deployment, there = variables }: Deployed): Fault =>
    (request, response) => {
      const pagination = { currentPage: 1, totalPages: 1, count: items.length };
      const answers: [RegExp, unknown][] = [
        [/\/queues/, { data: items, pagination }],
        [/\/runs/, { data: [], pagination: {} }],
        [/\/deployments\/current/, current],
        [/\/projects\/proj_tests\/envvars\/prod$/, there],
      ];
      const body = answers.find(([path]) => path.test(request.url ?? ""))?.[1];
      response.writeHead(body ? 200 : 404, json).end(JSON.stringify(body ?? { error: "Not found" }));
    };
  const found = (id: string, state: Deployed) => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_prod_of_the_tests");
    return instead("TRIGGER_API_URL", deployed(state), () => onlyProblem(id));
  };

  it("nothing where all is well", async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", "tr_prod_of_the_tests");
    vi.stubEnv("TRIGGER_EXTERNAL_DEPLOYMENT_ID", "v1");
    expect(await instead("TRIGGER_API_URL", deployed({}), () => problems("trigger"))).toEqual([]);
  });

  it("a task that was never deployed", async () => {
    const { seen, mend } = await found("trigger.tasks", { items: taskIds.slice(1).map(item) });
    expect(seen).toContain(taskIds[0]);
    expect(mend).toBe("npx trigger.dev deploy --env-file .env.production");
  });

  it("nothing deployed, and another version than the app asks for", async () => {
    expect((await found("trigger.deployment", { current: null })).seen).toBe("nothing is deployed");
    vi.stubEnv("TRIGGER_EXTERNAL_DEPLOYMENT_ID", "v2");
    expect((await found("trigger.deployment", {})).mend).toMatch(/--external-id v2$/);
  });

  it("a key of another project", async () => {
    vi.stubEnv("TRIGGER_PROJECT_REF", "proj_other");
    expect((await found("trigger.project", {})).mend).toMatch(/^Set TRIGGER_PROJECT_REF/);
  });

  it("a variable that the tasks lack", async () => {
    const there = variables.filter(({ name }) => name !== "SMTP_URL");
    expect((await found("trigger.variables", { there })).seen).toBe("not set: SMTP_URL");
  });

  it("an external system that only one side knows", async () => {
    const there = variables.map((one) => (one.isSecret ? one : { ...one, value: "billing" }));
    const { seen } = await found("trigger.external-systems", { there });
    expect(seen).toBe("the app knows crm, the tasks know billing");
  });

  it("a queue that is nearly full", async () => {
    const items = taskIds.map((id) => ({ ...item(id), queued: id === taskIds[0] ? 9_500 : 0 }));
    const { seen, state } = await found("trigger.queues", { items });
    expect(seen).toContain("9500 runs");
    expect(state).toBe("warning");
  });
});

describe("of the mail server it finds", () => {
  let smtp: Awaited<ReturnType<typeof startSmtp>>;
  beforeAll(async () => {
    smtp = await startSmtp();
  });
  beforeEach(() => {
    vi.stubEnv("SMTP_URL", smtp.url);
    vi.stubEnv("MAIL_FROM", "hello@example.com");
  });
  afterAll(() => smtp.close());

  it("that it refuses the login", async () => {
    smtp.behave({ replies: { AUTH: "535 5.7.8 no" } });
    const found = await onlyProblem("mail.login");
    expect(found.seen).toMatch(/^answers 535/);
    expect(found.mend).toMatch(/SMTP_URL/);
  });

  it("that there is none", async () => {
    vi.stubEnv("SMTP_URL", "smtp://127.0.0.1:1");
    expect((await onlyProblem("mail.login")).seen).toMatch(/^no mail server: .*ECONNREFUSED/);
  });
});

describe("of the external systems it finds", () => {
  it("one that takes no connection, by its name", async () => {
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", "billing=http://127.0.0.1:1/token-in-a-path");
    const found = await onlyProblem("external-systems.reachable");
    expect(found.seen).toMatch(/^billing .*ECONNREFUSED/);
    expect(JSON.stringify(found)).not.toContain("token-in-a-path");
  });

  it("a certificate that nobody vouches for", async () => {
    const pem = (name: string) => readFileSync(`tests/fixtures/tls/${name}.pem`);
    const server = createTlsServer({ key: pem("self-signed-key"), cert: pem("self-signed") });
    const { port, close } = await onFreePort(server);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", `crm=https://localhost:${port}/hook`);
    const found = await onlyProblem("external-systems.reachable");
    await close();
    expect(found.seen).toMatch(/self-signed/);
  });
});

describe("of the app it finds", () => {
  /** The app with something before or in it: what it answers to a secret that is good, and to any other. */
  const app =
    (right: number, other: number): Fault =>
    (request, response) => {
      const isGood = request.headers.authorization === `Bearer ${SECRET}`;
      const status = request.url === "/api/health" ? 200 : isGood ? right : other;
      response.writeHead(status, { ...json, location: "/login" }).end('{"triggered":0}');
    };
  const found = (id: string, fault: Fault) => instead("APP_URL", fault, () => onlyProblem(id));

  it("that nobody says where it is", async () => {
    vi.stubEnv("APP_URL", "");
    const { state, seen, mend } = await onlyProblem("ingress.address");
    expect(state).toBe("warning");
    expect(seen).toMatch(/^APP_URL is not set/);
    expect(mend).toBe("Set APP_URL in the environment or in .env.local");
  });

  it("that it does not answer", async () => {
    vi.stubEnv("APP_URL", "http://127.0.0.1:1");
    expect((await onlyProblem("ingress.answers")).mend).toMatch(/^Start the app/);
  });

  it("another secret than here", async () => {
    const { mend } = await found("ingress.secret", app(401, 401));
    expect(mend).toMatch(/^Set the same SEQUIN_WEBHOOK_SECRET/);
  });

  it("a route that takes any secret", async () => {
    const { seen } = await found("ingress.closed", app(200, 200));
    expect(seen).toContain("/api/delete-user answers 200 without a secret");
  });

  it("a redirect", async () => {
    expect((await found("ingress.direct", app(308, 308))).seen).toContain("answers 308 to /login");
  });

  it("a login page", async () => {
    const page: Fault = (request, response) =>
      void response.writeHead(200).end(request.url === "/api/health" ? "{}" : "<html>Log in</html>");
    expect((await found("ingress.direct", page)).seen).toContain("answers 200 with what is no JSON");
  });

  it("what the app says of itself", async () => {
    const failing: Fault = (request, response) =>
      request.url === "/api/health"
        ? void response.writeHead(503, json).end('{"failing":["migrations"]}')
        : app(200, 401)(request, response);
    expect((await found("ingress.health", failing)).seen).toBe(
      "/api/health answers 503, failing: migrations",
    );
  });
});
