import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tsImport } from "tsx/esm/api";
import type { Declaration } from "../src/declare/declaration.ts";
import { declarationsOf } from "../src/declare/declarations.ts";

const FILE = "aftercommit.config.ts";

/** What the aftercommit.config.ts of a project exports; undefined if there is none. */
export async function loadConfig(folder = process.cwd()): Promise<object | undefined> {
  const file = join(folder, FILE);
  return existsSync(file) ? tsImport(pathToFileURL(file).href, import.meta.url) : undefined;
}

/** The declarations of the project in which a command runs. Rejects if there are none, or two with the same name. */
export async function loadDeclarations(folder = process.cwd()): Promise<Declaration[]> {
  const config = await loadConfig(folder);
  if (!config)
    throw new Error(
      `There is no ${FILE} in ${folder}. It declares your tables: export const posts = defineEmbedding({ … })`,
    );
  return declarationsOf(config);
}
