import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildApp } from "../../tests/helpers/browser/production.ts";
import { cloneProject } from "../../tests/helpers/clone.ts";

export type Project = {
  name: "product" | "guide";
  folder: string;
  /** The sink of posts in its sequin.yaml. */
  sink: string;
};

const GUIDE = join(import.meta.dirname, "../guide");

// For comparison: the cost of a request and a run that do nothing.
const NOTHING = {
  "app/api/nothing/route.ts": `export async function POST(request: Request): Promise<Response> {
  await request.arrayBuffer();
  return Response.json({});
}
`,
  "trigger/do-nothing.ts": `import { task } from "@trigger.dev/sdk";

export const doNothing = task({ id: "do-nothing", run: async () => ({}) });
`,
};

function replaceByGuide(folder: string): void {
  for (const path of ["app", "trigger", "proxy.ts", "instrumentation.ts"])
    rmSync(join(folder, path), { recursive: true });
  cpSync(GUIDE, folder, { recursive: true });
}

const prepared = new Map<Project["name"], Promise<Project>>();

async function prepare(name: Project["name"]): Promise<Project> {
  const folder = cloneProject();
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  if (name === "guide") replaceByGuide(folder);
  for (const [path, text] of Object.entries(NOTHING)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await buildApp(folder);
  return { name, folder, sink: name === "guide" ? "posts" : "posts-embedding" };
}

/** A clone with a production build of the app, made once for all benchmarks. */
export function projectOf(name: Project["name"]): Promise<Project> {
  const known = prepared.get(name) ?? prepare(name);
  prepared.set(name, known);
  return known;
}
