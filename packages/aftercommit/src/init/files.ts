import { posix } from "node:path";
import type { Declaration, DeletionDeclaration, EmbeddingDeclaration } from "../declare/declaration.ts";
import { deletionTaskIds, embeddingTaskIds, routeOf } from "../declare/names.ts";
import { triggerConfig } from "./trigger-config.ts";

/** A declaration, and its name in aftercommit.config.ts. */
export type Named<D extends Declaration = Declaration> = { name: string; declaration: D };

/** A file to write, with its path from the project's folder. */
export type File = { path: string; text: string };

const camelCase = (id: string) => id.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const list = (names: readonly string[]) => `[${names.map((name) => JSON.stringify(name)).join(", ")}]`;

const optionsOf = (options: readonly [name: string, value: string][]) =>
  options.map(([name, value]) => `  ${name}: ${value},\n`).join("");

function embeddingText({ name, declaration }: Named<EmbeddingDeclaration>): string {
  const { row, rows, table, key, text, columns } = declaration;
  const options: [string, string][] = [
    ["row", JSON.stringify(row)],
    ...(rows === `${row}s` ? [] : [["rows", JSON.stringify(rows)] satisfies [string, string]]),
    ["table", JSON.stringify(`${table.schema}.${table.name}`)],
    ["key", JSON.stringify(key)],
    ["text", typeof text === "string" ? JSON.stringify(text) : list(text)],
    ["columns", list(columns)],
  ];
  return `/** These rows are embedded, so that they can be searched by meaning. */
export const ${name} = defineEmbedding({\n${optionsOf(options)}});\n`;
}

function deletionText({ name, declaration }: Named<DeletionDeclaration>): string {
  const { row, table, key, email } = declaration;
  const options: [string, string][] = [
    ["row", JSON.stringify(row)],
    ["table", JSON.stringify(`${table.schema}.${table.name}`)],
    ["key", JSON.stringify(key)],
    ...(email === undefined ? [] : [["email", JSON.stringify(email)] satisfies [string, string]]),
  ];
  return `/** Deleted rows are cleaned up in external systems, and confirmed by e-mail. */
export const ${name} = defineDeletion({\n${optionsOf(options)}});\n`;
}

const isEmbedding = (named: Named): named is Named<EmbeddingDeclaration> =>
  named.declaration.kind === "embedding";
const isDeletion = (named: Named): named is Named<DeletionDeclaration> =>
  named.declaration.kind === "deletion";

/** The text of aftercommit.config.ts. */
export function configText(declared: readonly Named[]): string {
  const factories = [
    ...(declared.some(isDeletion) ? ["defineDeletion"] : []),
    ...(declared.some(isEmbedding) ? ["defineEmbedding"] : []),
  ];
  const declarations = [
    ...declared.filter(isEmbedding).map(embeddingText),
    ...declared.filter(isDeletion).map(deletionText),
  ];
  return [`import { ${factories.join(", ")} } from "aftercommit";\n`, ...declarations].join("\n");
}

export const TASKS = "trigger/aftercommit.ts";

/** The text of that file: one line per task. */
export function tasksText(declared: readonly Named[]): string {
  const factories = new Set<string>();
  const lines: string[] = [];
  const add = (id: string, factory: string, argument: string) => {
    factories.add(factory);
    lines.push(`export const ${camelCase(id)} = ${factory}(${argument});`);
  };
  for (const { name, declaration } of declared.filter(isEmbedding)) {
    const ids = embeddingTaskIds(declaration);
    add(ids.one, "embedOneTask", name);
    add(ids.many, "drainTask", name);
    add(ids.reconcile, "reconcileTask", name);
    add(ids.index, "indexTask", name);
  }
  const deletions = declared.filter(isDeletion);
  for (const { name, declaration } of deletions) {
    const ids = deletionTaskIds(declaration);
    add(ids.cleanup, "cleanupTask", name);
    add(ids.resume, "resumeTask", name);
  }
  if (deletions.length > 0) {
    add("clean-up-external-system", "cleanUpSystemTask", "config");
    add("send-deletion-confirmation", "confirmationTask", "config");
  }
  const imports = [`import { ${[...factories].toSorted().join(", ")} } from "aftercommit/trigger";`];
  if (deletions.length > 0) imports.push('import * as config from "../aftercommit.config";');
  imports.push(`import { ${declared.map(({ name }) => name).join(", ")} } from "../aftercommit.config";`);
  return `${imports.join("\n")}\n\n${lines.join("\n")}\n`;
}

/** Next.js calls it once when a server starts. It is beside the folder of the routes. */
function instrumentation(app: string): File {
  const folder = posix.dirname(app);
  const config =
    folder === "." ? "./aftercommit.config" : `${posix.relative(folder, ".")}/aftercommit.config`;
  return {
    path: posix.join(folder, "instrumentation.ts"),
    text: `export async function register() {
  if (process.env.NEXT_RUNTIME === "nodejs")
    (await import("aftercommit/next")).startApp(await import(${JSON.stringify(config)}));
}
`,
  };
}

/** A route handler of the App Router. `app` is the folder of the routes, from the project's folder. */
function route(app: string, path: string, text: (config: string) => string): File {
  const file = posix.join(app, path, "route.ts");
  const config = `${posix.relative(posix.dirname(file), ".")}/aftercommit.config`;
  return { path: file, text: text(config) };
}

/** `app` is the folder of the App Router: `app` or `src/app`. */
type Project = { app: string; hasTriggerBuild: boolean };

/** The files that a Next.js project with Trigger.dev tasks needs for these declarations. */
export function filesOf(declared: readonly Named[], { app, hasTriggerBuild }: Project): File[] {
  const withConfig = (method: string, factory: string) => (config: string) =>
    `import { ${factory} } from "aftercommit/next";\nimport * as config from ${JSON.stringify(config)};\n\nexport const ${method} = ${factory}(config);\n`;
  const files: File[] = [
    { path: "aftercommit.config.ts", text: configText(declared) },
    { path: TASKS, text: tasksText(declared) },
    { path: "trigger.config.ts", text: triggerConfig({ hasTriggerBuild }) },
    instrumentation(app),
    ...declared.map(({ name, declaration }) =>
      route(
        app,
        routeOf(declaration),
        (config) =>
          `import { serve } from "aftercommit/next";\nimport { ${name} } from ${JSON.stringify(config)};\n\nexport const POST = serve(${name});\n`,
      ),
    ),
    route(app, "api/health", withConfig("GET", "healthRoute")),
  ];
  if (!declared.some(isEmbedding)) return files;
  return [
    ...files,
    route(app, "api/search", withConfig("GET", "searchRoute")),
    route(app, "api/similar", withConfig("GET", "similarRoute")),
  ];
}
