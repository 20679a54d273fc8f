import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { TRIGGER_SECRET_KEY } from "../../../emulators/stack/emulators.ts";
import type { DevStack } from "./dev-stack.ts";

const list = z.object({ data: z.array(z.object({ id: z.string() })) });
const secrets = z.record(z.string(), z.string());

async function read(stack: DevStack, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}${path}`, {
    headers: { authorization: `Bearer ${TRIGGER_SECRET_KEY}` },
  });
  return response.text();
}

/** Everything that outlives a run or is read by people: log, ledger, runs with payloads and outputs, pages. */
export async function everythingSaid(stack: DevStack): Promise<Record<string, string>> {
  const { data } = list.parse(JSON.parse(await read(stack, "/api/v1/runs?page[size]=100")));
  const runs = await Promise.all(data.map(({ id }) => read(stack, `/api/v3/runs/${id}`)));
  const pages = await Promise.all(["/", "/runs", "/deliveries"].map((path) => read(stack, path)));
  const page = await fetch(`http://127.0.0.1:${stack.ports.app}/`);
  const completed = await stack.query("select * from aftercommit.deletions where completed_at is not null");
  return {
    log: stack.output,
    ledger: JSON.stringify(completed),
    runs: runs.join("\n"),
    console: pages.join("\n"),
    page: await page.text(),
  };
}

/** The secrets that were generated for the stack. */
export function secretsOf(stack: DevStack): string[] {
  const file = join(stack.folder, ".local/secrets.json");
  return Object.values(secrets.parse(JSON.parse(readFileSync(file, "utf8"))));
}
