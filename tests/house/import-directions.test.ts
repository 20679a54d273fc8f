import { existsSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { root, sources } from "../helpers/source-files.ts";

const SPECIFIER = /(?:^(?:import|export)\s[^;"'`(=]*\bfrom\s+|^import\s+|\bimport\()"([^"]+)"/gm;

const PARTS = ["postgres", "sequin", "trigger", "openai", "mail", "external-system"].map(
  (part) => `emulators/${part}`,
);

const LIBRARY = "packages/aftercommit";
const CONFIG = "aftercommit.config.ts";

/** The packages and folders, and what each may import from besides itself. */
const ALLOWED: Record<string, string[]> = {
  app: [LIBRARY, CONFIG, "trigger"],
  trigger: [LIBRARY, CONFIG],
  [CONFIG]: [LIBRARY],
  [LIBRARY]: [],
  drizzle: [],
  scripts: [LIBRARY, CONFIG],
  "emulators/shared": [],
  "emulators/console": ["emulators/shared"],
  ...Object.fromEntries(PARTS.map((part) => [part, ["emulators/shared"]])),
  "emulators/stack": ["emulators/shared", "emulators/console", ...PARTS],
  dev: ["emulators/stack", "emulators/trigger", LIBRARY, CONFIG, "drizzle"],
};
const ROOMS = Object.keys(ALLOWED);

// They may import everything, and nothing imports them except the tests. A test beside the code is one of tests.
const OUTSIDE = ["tests", "bench"];
const isBesideCode = (path: string) => /^(app|packages)\/.*\.test\.ts$/.test(path);

// Short for the root, in tsconfig.json.
const ALIAS = "@/";

// An entry point calls the library; SQL and provider calls are there.
const NOT_IN_ENTRY_POINTS = /^(drizzle-orm|pg|openai|nodemailer)(\/|$)/;

// Only one folder uses Trigger.dev's run API; the doctor reads queues itself. trigger/ defines tasks.
const RUN_API = /\b(runs|tasks|queues|batch)\b[^"]*from|\bimport\(|\* as/;
const MAY_ASK_TRIGGER = /^packages\/aftercommit\/src\/(runs|doctor)\//;
const isProduct = (path: string) => /^(app|trigger|packages)\//.test(path) && !isBesideCode(path);

const manifest = z.object({
  name: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});

/** The manifest next to a package or folder, otherwise the root's. */
function manifestOf(room: string) {
  const file = existsSync(join(root, room, "package.json")) ? join(room, "package.json") : "package.json";
  return manifest.parse(JSON.parse(readFileSync(join(root, file), "utf8")));
}

/** The workspaces by the names of their packages. */
const workspaces = new Map(
  ROOMS.filter((room) => existsSync(join(root, room, "package.json"))).map((room) => [
    manifestOf(room).name,
    room,
  ]),
);

// Starts the command line here; the published package has another one.
const STARTER = `${LIBRARY}/bin/aftercommit.mjs`;

const roomOf = (path: string) =>
  path === STARTER
    ? "scripts"
    : isBesideCode(path)
      ? "tests"
      : (ROOMS.find((room) => path === room || path.startsWith(`${room}/`)) ?? path.split("/")[0] ?? "");

const packageOf = (specifier: string) =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

const imports = sources.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(SPECIFIER)].flatMap(([statement, specifier = ""]) => {
    if (isBuiltin(specifier)) return [];
    const name = packageOf(specifier);
    const path = specifier.startsWith(ALIAS)
      ? specifier.slice(ALIAS.length)
      : specifier.startsWith(".") && relative(root, resolve(root, dirname(file), specifier));
    return [{ file, statement, from: roomOf(file), specifier, name, target: path || workspaces.get(name) }];
  });
});

function isAllowed(file: string, from: string, to: string): boolean {
  const besides = file.includes(`${from}/tests/`) ? ["tests", "emulators/console"] : [];
  return from === to || OUTSIDE.includes(from) || [...(ALLOWED[from] ?? []), ...besides].includes(to);
}

const shown = ({ file, statement }: { file: string; statement: string }) => `${file}: ${statement}`;

it("finds the imports that are known to be there", () => {
  for (const known of [
    { file: CONFIG, name: "aftercommit", target: "packages/aftercommit" },
    { file: "emulators/stack/starters.ts", target: "emulators/trigger" },
    { file: "emulators/trigger/start.ts", name: "@aftercommit/local-shared", target: "emulators/shared" },
  ])
    expect(imports).toContainEqual(expect.objectContaining(known));
  expect(new Set(imports.map(({ from }) => from))).toEqual(new Set([...ROOMS, ...OUTSIDE]));
});

it("goes one way: app, trigger → packages/aftercommit; the parts of the local stack import nothing of it", () => {
  const wrong = imports.filter(({ file, from, target }) => target && !isAllowed(file, from, roomOf(target)));
  expect(wrong.map(shown)).toEqual([]);
});

/** A folder of the library, or a file next to its folders. */
const folderOf = (path: string) => relative(`${LIBRARY}/src`, path).split("/")[0] ?? "";

it("only tests beside the code use the short form of the root, which no published file could resolve", () => {
  const users = imports.filter(({ specifier }) => specifier.startsWith(ALIAS)).map(({ file }) => file);
  expect(users).toContain(`${LIBRARY}/src/serve.test.ts`);
  expect(users.filter((file) => !isBesideCode(file))).toEqual([]);
});

it("forms no cycle between the folders of packages/aftercommit", () => {
  const inside = imports.filter(
    ({ file, target }) => file.startsWith(`${LIBRARY}/src/`) && !isBesideCode(file) && target,
  );
  const edges = new Map<string, Set<string>>();
  for (const { file, target = "" } of inside) {
    const [from, to] = [folderOf(file), folderOf(target)];
    if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  }
  expect(edges.get("embeddings")).toContain("inbox");
  // Repeatedly removes what imports nothing that is left. A cycle stays.
  for (let left = edges.size + 1; edges.size < left; ) {
    left = edges.size;
    for (const [folder, targets] of edges)
      if ([...targets].every((target) => !edges.has(target))) edges.delete(folder);
  }
  expect([...edges].map(([folder, targets]) => `${folder} → ${[...targets].join(", ")}`)).toEqual([]);
});

describe("an entry point", () => {
  const entryPoints = imports.filter(({ from }) => from === "app" || from === "trigger");

  it("contains no SQL and calls no provider", () => {
    expect(entryPoints.filter(({ name }) => NOT_IN_ENTRY_POINTS.test(name)).map(shown)).toEqual([]);
  });

  it("imports tasks only as types if routes name them", () => {
    const text = (file: string) => readFileSync(join(root, file), "utf8");
    const values = entryPoints.filter(
      ({ file, from, target = "" }) =>
        from === "app" &&
        roomOf(target) === "trigger" &&
        !new RegExp(`import type [^;]*${target.split("/").at(-1)}`).test(text(file)),
    );
    expect(values.map(shown)).toEqual([]);
  });
});

it("only src/runs and the doctor use Trigger.dev's run API", () => {
  const askers = imports.filter(
    ({ name, statement }) =>
      name === "@trigger.dev/sdk" && !statement.startsWith("import type") && RUN_API.test(statement),
  );
  const wrong = askers.filter(({ file }) => isProduct(file) && !MAY_ASK_TRIGGER.test(file));
  expect(askers.map(({ file }) => file)).toContain("packages/aftercommit/src/runs/trigger-run.ts");
  expect(wrong.map(shown)).toEqual([]);
});

it("only packages of the nearest manifest are imported", () => {
  const missing = imports.filter(({ file, from, specifier, name }) => {
    if (specifier.startsWith(".") || specifier.startsWith(ALIAS)) return false;
    const { name: own, dependencies, devDependencies, peerDependencies } = manifestOf(from);
    // The library's own dependencies, in its tests.
    if (isBesideCode(file) && file.startsWith(LIBRARY) && name in manifestOf(LIBRARY).dependencies)
      return false;
    // What the product needs at run time must be there in production.
    return (
      name !== own &&
      !(name in dependencies) &&
      !(name in peerDependencies) &&
      ((isProduct(file) && file !== STARTER) || !(name in devDependencies))
    );
  });
  expect(missing.map(shown)).toEqual([]);
});
