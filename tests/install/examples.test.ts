import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import { linkPackages } from "../helpers/clone.ts";
import { ROOT } from "../helpers/documents.ts";
import { freePorts } from "../helpers/free-ports.ts";
import { EXAMPLES, type Example, FOLDER } from "../helpers/install/examples.ts";
import { Project } from "../helpers/install/project.ts";
import { tarball } from "../helpers/install/tarball.ts";
import { EMPTY } from "../helpers/postgres.ts";
import { choosePorts, type Ports } from "../helpers/stack/dev-stack.ts";

let folder: string;
let ports: Ports;
let local: Project;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "aftercommit-examples-"));
  ports = await choosePorts();
  local = new Project(folder, ports);
  const started = local.startLocal(["postgres", "trigger", "openai", "mail"]);
  // The CLI looks for them in the folders above an example.
  for (const name of ["package.json", "package-lock.json"]) await cp(join(ROOT, name), join(folder, name));
  linkPackages(folder);
  // Here, a link to its sources.
  const library = join(folder, "node_modules/aftercommit");
  await rm(library);
  await mkdir(library);
  execFileSync("tar", ["-xzf", tarball(), "--strip-components=1", "-C", library]);
  await started;
});
afterAll(async () => {
  await local?.stop();
  // What was killed may still be writing.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
});

/** Runs an example on the packed library, in a database that is empty again. */
async function runExample(name: string, { server, variables, check }: Example): Promise<void> {
  const copy = join(folder, name);
  await cp(join(FOLDER, name), copy, { recursive: true });
  await cp(join(FOLDER, "trigger.config.ts"), join(copy, "trigger.config.ts"));
  const [app = 0] = await freePorts(1);
  const example = new Project(copy, { ...ports, app }, variables?.());
  try {
    await example.query(EMPTY);
    await example.query(await readFile(join(copy, "schema.sql"), "utf8"));
    await example.run("npx", "aftercommit", "migrate");
    await example.run("npx", "aftercommit", "sequin");
    await Promise.all([server(example), example.startTasks()]);
    await example.startSequin();
    await check(example);
  } finally {
    await example.stop();
  }
}

describe("with the installed package", () => {
  it.each(Object.entries(EXAMPLES))("the example %s works", runExample);
});
