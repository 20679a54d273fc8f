import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCollector } from "../helpers/collector.ts";
import { buildImages, type Image } from "../helpers/deploy/dockerfile.ts";
import { freePorts } from "../helpers/free-ports.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { startTriggerServer } from "../helpers/trigger-server.ts";
import { until } from "../helpers/until.ts";

// The image's user; only root can switch to it.
const NODE = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};
const folder = mkdtempSync(join(tmpdir(), "aftercommit-image-"));
let images: Map<string, Image>;
let postgres: Awaited<ReturnType<typeof startMigratedPostgres>>;
let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let collector: Awaited<ReturnType<typeof startCollector>>;

beforeAll(async () => {
  chmodSync(folder, 0o755);
  postgres = await startMigratedPostgres();
  trigger = await startTriggerServer("tr_dev_image");
  collector = await startCollector();
  images = await buildImages(folder);
});
afterAll(async () => {
  await collector.close();
  await trigger.close();
  await postgres.close();
  rmSync(folder, { recursive: true });
});

function imageOf(name: string): Image {
  const image = images.get(name);
  if (!image) throw new Error(`The Dockerfile has no stage ${name}`);
  return image;
}

const environment = (): NodeJS.ProcessEnv => ({
  NODE_ENV: "production",
  PATH: process.env.PATH,
  DATABASE_URL: postgres.url,
  TRIGGER_SECRET_KEY: "tr_dev_image",
  TRIGGER_API_URL: trigger.url,
  SEQUIN_WEBHOOK_SECRET: "a secret of the image's test",
  USER_DELETION_WEBHOOK_URLS: "none",
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_METRIC_EXPORT_INTERVAL: "500",
});

it("what the Dockerfile builds starts as its user, changes none of its files, and is healthy", async () => {
  const app = imageOf("app");
  expect(app.user).toBe("node");
  execReadOnly(app.folder);
  const [port = 0] = await freePorts(1);
  const env = { ...app.env, ...environment(), HOSTNAME: "127.0.0.1", PORT: String(port) };
  const [command = "", ...args] = app.command;
  const server = spawn(command, args, { cwd: app.folder, env, stdio: "pipe", ...NODE });
  let output = "";
  for (const stream of [server.stdout, server.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const [check = "", ...checkArgs] = app.healthCheck;
  const healthy = () =>
    promisify(execFile)(check, checkArgs, { env, ...NODE }).then(
      () => true,
      () => server.exitCode !== null,
    );
  await until(healthy, { what: "the health check to pass" });
  expect(server.exitCode, output).toBeNull();
  const health = () => fetch(`http://127.0.0.1:${port}/api/health`);
  expect(await (await until(async () => [await health()].find(({ ok }) => ok))).json()).toEqual({
    status: "ok",
  });

  // The routes and the sender of the metrics are separate bundles, but must use the same counters.
  expect((await fetch(`http://127.0.0.1:${port}/api/delete-user`, { method: "POST" })).status).toBe(401);
  const refused = () =>
    collector
      .points(collector.last()?.body ?? { resourceMetrics: [] })
      .find(
        ({ metric, attributes }) => metric === "aftercommit.ingress.deliveries" && attributes.status === 401,
      );
  expect(await until(refused, { what: "the count of the refused delivery" })).toMatchObject({ value: 1 });

  // An app that is alive stays so when what it needs is missing.
  await trigger.close();
  await until(async () => (await health()).status === 503);
  expect(await healthy()).toBe(true);
  trigger = await startTriggerServer("tr_dev_image");

  const exited = once(server, "exit");
  server.kill();
  await exited;
  await expect(promisify(execFile)(check, checkArgs, { env })).rejects.toThrow();
  expect(output).not.toMatch(/EACCES|EROFS/);
});

function execReadOnly(path: string): void {
  for (const name of readdirSync(path, { recursive: true, encoding: "utf8" }))
    if (!name.includes("node_modules")) chmodSync(join(path, name), 0o555);
  chmodSync(path, 0o555);
}

it("leaves the local stack, the tests and every secret out of the images", () => {
  const tools = readdirSync(imageOf("tools").folder);
  expect(tools).toContain("scripts");
  expect(tools.filter((name) => ["emulators", "dev", "tests", ".git", ".local"].includes(name))).toEqual([]);
  expect(tools.filter((name) => name.startsWith(".env"))).toEqual([]);
  const code = ["app", "packages", "trigger"].flatMap((name) =>
    readdirSync(join(imageOf("tools").folder, name), { recursive: true, encoding: "utf8" }),
  );
  expect(code).toContain("aftercommit/src/serve.ts");
  expect(code.filter((name) => name.endsWith(".test.ts"))).toEqual([]);
  const app = readdirSync(join(imageOf("app").folder, "node_modules"));
  expect(app).toContain("next");
  expect(app.filter((name) => ["typescript", "vitest", "trigger.dev"].includes(name))).toEqual([]);
});

it("migrates with the command of compose.yaml in the image of the tools", async () => {
  const tools = imageOf("tools");
  const args = ["--import", "tsx", "scripts/with-environment.ts", "packages/aftercommit/cli/migrate.ts"];
  const { stdout } = await promisify(execFile)("node", args, {
    cwd: tools.folder,
    env: environment(),
    ...NODE,
  });
  expect(stdout).toContain("The database is up to date.");
});
