import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { declarationsOf, isDeclaration } from "../declare/declarations.ts";
import { configText, type Named, TASKS, tasksText } from "./files.ts";

const isSame = ({ declaration: one }: Named, { declaration: other }: Named) =>
  one.kind === other.kind && one.table.schema === other.table.schema && one.table.name === other.table.name;

/**
 * The wanted declarations as an aftercommit.config.ts has them, with their names there. It is the person's file, so what
 * it lacks is not written, and neither is a route that would import it.
 * @throws if it lacks one; the error has the lines to add
 */
export function asDeclared(wanted: readonly Named[], config: object): Named[] {
  const existing = Object.entries(config).flatMap(([name, declaration]) =>
    isDeclaration(declaration) ? [{ name, declaration }] : [],
  );
  const missing = wanted.filter((named) => !existing.some((one) => isSame(one, named)));
  if (missing.length === 0) return existing.filter((one) => wanted.some((named) => isSame(one, named)));
  declarationsOf([...existing, ...missing].map(({ declaration }) => declaration));
  const names = missing.map(({ name }) => name).join(" and ");
  throw new Error(`aftercommit.config.ts exists, and does not declare ${names}. Nothing is written.
Add these lines, without the imports that you already have. Then run the command again: it writes the routes and sinks.

aftercommit.config.ts:

${configText(missing)}
${TASKS}:

${tasksText(missing)}`);
}

/** A file of a project with tasks of this library, other than the one that is written: two tasks cannot have one id. */
export function otherTasks(project: string): string | undefined {
  if (!existsSync(join(project, "trigger"))) return undefined;
  return readdirSync(join(project, "trigger"), { recursive: true, encoding: "utf8" })
    .map((name) => join("trigger", name))
    .filter((file) => file !== TASKS && /\.[jt]sx?$/.test(file))
    .find((file) => readFileSync(join(project, file), "utf8").includes("aftercommit/trigger"));
}
