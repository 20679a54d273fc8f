import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { databaseIn } from "../../../local/postgres/data-folder.ts";

const cache = join(dirname(createRequire(import.meta.url).resolve("tsx/package.json")), "../.cache");
const { devDependencies } = z
  .object({ devDependencies: z.object({ "@electric-sql/pglite": z.string() }) })
  .parse(JSON.parse(await readFile(new URL("../../../local/package.json", import.meta.url), "utf8")));
const template = join(cache, `local-postgres-${devDependencies["@electric-sql/pglite"]}`);

/** A data folder with a fresh database: a copy, since making one takes seconds of processor time. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "local-postgres-"));
  await cp(template, join(folder, "data"), { recursive: true }).catch(async () => {
    await databaseIn(folder);
    await mkdir(cache, { recursive: true });
    const draft = await mkdtemp(join(cache, "draft-"));
    await cp(join(folder, "data"), draft, { recursive: true });
    // Another test file may have been faster.
    await rename(draft, template).catch(() => rm(draft, { recursive: true }));
  });
  return folder;
}
