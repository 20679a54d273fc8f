import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const callSchema = z.object({
  /** ISO 8601. */
  at: z.string(),
  system: z.string(),
  webhookId: z.string(),
  userId: z.string(),
  /** The status of the response. */
  status: z.int(),
  /** Whether the answer was a lie: the user was not removed. */
  lied: z.literal(true).optional(),
});

export type Call = z.infer<typeof callSchema>;

const KEPT = 1_000;

async function load(path: string): Promise<Call[]> {
  const text = existsSync(path) ? await readFile(path, "utf8") : "";
  // A kill cut off what follows the last line break.
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => callSchema.parse(JSON.parse(line)));
}

const lineOf = (call: Call) => `${JSON.stringify(call)}\n`;

async function replace(path: string, calls: Call[]): Promise<void> {
  await writeFile(`${path}.part`, calls.map(lineOf).join(""));
  await rename(`${path}.part`, path);
}

/** The last 1,000 calls. With a folder, they survive a restart. */
export async function openCalls(dataDir?: string) {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  const path = dataDir === undefined ? undefined : join(dataDir, "calls.jsonl");
  const calls = path === undefined ? [] : (await load(path)).slice(-KEPT);
  if (path !== undefined) await replace(path, calls);
  return {
    async add(call: Call): Promise<void> {
      if (path !== undefined) await appendFile(path, lineOf(call));
      calls.push(call);
      if (calls.length > KEPT) calls.shift();
    },
    /** Newest first. */
    list: () => calls.toReversed(),
  };
}
