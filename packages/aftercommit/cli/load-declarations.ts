import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tsImport } from "tsx/esm/api";
import type { Declaration } from "../src/declare/declaration.ts";
import { declarationsOf } from "../src/declare/declarations.ts";

const FILE = "aftercommit.config.ts";

/** The declarations of the project in which a command runs. Rejects if there are none, or two with the same name. */
export async function loadDeclarations(folder = process.cwd()): Promise<Declaration[]> {
  const file = join(folder, FILE);
  if (!existsSync(file))
    throw new Error(
      `There is no ${FILE} in ${folder}. It declares your tables: export const posts = defineEmbedding({ … })`,
    );
  return declarationsOf(await tsImport(pathToFileURL(file).href, import.meta.url));
}
