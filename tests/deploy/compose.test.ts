import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DCLinter } from "dclint";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { variables, variablesOf } from "../../packages/aftercommit/src/env/variables.ts";
import { stagesOf } from "../helpers/deploy/dockerfile.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const folder = mkdtempSync(join(tmpdir(), "aftercommit-compose-"));
afterAll(() => rmSync(folder, { recursive: true }));

const service = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  environment: z.record(z.string(), z.string().nullable()).optional(),
  volumes: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
/** As in the Compose specification: no writing, no capability, and none to be had. */
const hardened = z.looseObject({
  read_only: z.literal(true),
  tmpfs: z.array(z.string()).refine((mounts) => mounts.includes("/tmp")),
  cap_drop: z.tuple([z.literal("ALL")]),
  cap_add: z.undefined().optional(),
  privileged: z.undefined().optional(),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]),
});
const compose = z
  .looseObject({ services: z.record(z.string(), service) })
  .parse(parse(read("compose.yaml"), { merge: true }));
const services = Object.entries(compose.services);

it("is what the Compose specification allows, and breaks no rule of its linter", () => {
  const order = ["service-keys-order", "services-alphabetical-order", "top-level-properties-order"];
  const alphabetical = ["service-dependencies-alphabetical-order", "service-ports-alphabetical-order"];
  const off = [
    ...order,
    ...alphabetical,
    "no-quotes-in-volumes",
    "require-quotes-in-ports",
    "no-unbound-port-interfaces",
  ];
  const linter = new DCLinter({
    rules: Object.fromEntries(off.map((name) => [name, 0])),
    quiet: false,
    debug: false,
    exclude: [],
  });
  const [result] = linter.lintFiles([join(ROOT, "compose.yaml")], false);
  expect(result?.messages).toEqual([]);
});

it("builds stages that the Dockerfile has, and mounts files that are there", () => {
  const stages = stagesOf(read("Dockerfile")).map(({ name }) => name);
  for (const [, { build, volumes = [] }] of services) {
    if (build) expect(stages).toContain(build.target);
    for (const volume of volumes.filter((text) => text.startsWith("./")))
      expect(() => statSync(join(ROOT, volume.split(":")[0] ?? ""))).not.toThrow();
  }
});

it("gives the product only variables that it knows", () => {
  const foreign = /^(OTEL_|TRIGGER_EXTERNAL_DEPLOYMENT_ID$|APP_URL$|SEQUIN_API_)/;
  for (const name of ["app", "migrate", "tools", "capture"])
    for (const variable of Object.keys(compose.services[name]?.environment ?? {}))
      if (!foreign.test(variable)) expect(Object.keys(variables)).toContain(variable);
  for (const variable of variablesOf("app", "required", "optional", "for deletions", "from sequin"))
    expect(Object.keys(compose.services.app?.environment ?? {})).toContain(variable);
});

it("gives Sequin one configuration out of two files, and every variable in it", () => {
  // Even if the first does not end with a line break.
  writeFileSync(join(folder, "sequin.yaml"), read("sequin.yaml").trimEnd());
  writeFileSync(join(folder, "sequin-access.yaml"), read("deploy/sequin-access.yaml"));
  const [shell = "", option = "", script = ""] = compose.services.sequin?.entrypoint ?? [];
  const here = script
    .replace("/tmp/sequin.yaml", join(folder, "made.yaml"))
    .replaceAll("/config/", `${folder}/`)
    .replace("exec /scripts/start_commands.sh", "echo started");
  expect(execFileSync(shell, [option, here], { encoding: "utf8" })).toBe("started\n");

  const made = readFileSync(join(folder, "made.yaml"), "utf8");
  const parts = ["sequin.yaml", "deploy/sequin-access.yaml"].map((path) =>
    z.record(z.string(), z.unknown()).parse(parse(read(path))),
  );
  expect(parse(made)).toEqual(Object.assign({}, ...parts));
  expect(Object.keys(parts[1] ?? {})).toEqual(["users", "api_tokens"]);
  const given = Object.keys(compose.services.sequin?.environment ?? {});
  for (const [, name = ""] of made.matchAll(/\$\{([A-Z_]+)/g)) expect(given).toContain(name);
});

it("publishes every port on an address of this machine unless one is given", () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{[A-Z]+_ADDRESS:-127\.0\.0\.1\}):/);
});

it("hardens every service, and starts none of the images that begin as root as root", () => {
  for (const [name, of] of services) expect(hardened.safeParse(of).error?.issues ?? [], name).toEqual([]);
  for (const [name, { image = "", user }] of services)
    if (/postgres|pgvector|redis/.test(image)) expect(user, name).toMatch(/^(postgres|redis)$/);
});

it("puts no secret into a command line", () => {
  for (const [name, { entrypoint = [], command = [], healthcheck }] of services)
    for (const argument of [...entrypoint, ...command, ...(healthcheck?.test ?? [])])
      expect(argument, name).not.toMatch(/(?<!\$)\$\{?[A-Z_]*(PASSWORD|SECRET|KEY|TOKEN|AUTH|URL)/);
});

it("gives Redis its password on standard input", () => {
  const path = join(folder, "bin");
  mkdirSync(path);
  writeFileSync(join(path, "redis-server"), '#!/bin/sh\necho "arguments: $*"\ncat\n', { mode: 0o755 });
  const [shell = "", ...rest] = compose.services.redis?.command ?? [];
  const said = execFileSync(
    shell,
    rest.map((text) => text.replaceAll("$$", "$")),
    {
      encoding: "utf8",
      env: { ...process.env, PATH: `${path}:${process.env.PATH}`, REDISCLI_AUTH: "made by a test" },
    },
  );
  expect(said).toBe("arguments: - --appendonly yes\nrequirepass made by a test\n");
});

it("contains no secret: each is a variable without a default", () => {
  for (const [, { environment = {} }] of services)
    for (const [name, value] of Object.entries(environment))
      if (/PASSWORD|SECRET|KEY/.test(name) && value !== null)
        expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
});
