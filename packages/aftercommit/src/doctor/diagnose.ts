import type { Declaration } from "../declare/declaration.ts";
import { memoizeFor } from "../memoize-for.ts";
import { replication } from "./capture.ts";
import { database, readServer } from "./database.ts";
import { declarationsCategory } from "./declarations.ts";
import { deletions } from "./deletions.ts";
import { environment } from "./environment.ts";
import { type Category, checkWithin, type Finding } from "./finding.ts";
import { ingress } from "./ingress.ts";
import { provider } from "./provider.ts";
import { sequin } from "./sequin.ts";
import { triggerDev } from "./trigger.ts";

// Longer than anything that a check waits for.
const LIMIT_MS = 25_000;

const CATEGORIES: Readonly<Record<string, readonly Category[]>> = {
  environment: [environment],
  database: [database],
  declarations: [declarationsCategory],
  capture: [replication, sequin],
  trigger: [triggerDev],
  provider: [provider],
  ingress: [ingress],
  deletions: [deletions],
};

export const CATEGORY_NAMES = Object.keys(CATEGORIES);

async function collect(findings: AsyncIterable<Finding>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const finding of findings) {
    found.push(finding);
    if (finding.ends) break;
  }
  return found;
}

/** Runs the checks of the categories in `only`, or of all, in parallel. Resolves with the findings, in order. */
export async function diagnose(
  declarations: readonly Declaration[],
  {
    only = [],
    limitMs = LIMIT_MS,
    testWebhooks = false,
  }: { only?: readonly string[]; limitMs?: number; testWebhooks?: boolean } = {},
): Promise<Finding[]> {
  const server = memoizeFor(readServer, () => Number.POSITIVE_INFINITY);
  const context = { declarations, server, check: checkWithin(limitMs), testWebhooks };
  const names = CATEGORY_NAMES.filter((name) => only.length === 0 || only.includes(name));
  const categories = names.flatMap((name) => CATEGORIES[name] ?? []);
  return (await Promise.all(categories.map((category) => collect(category(context))))).flat();
}
