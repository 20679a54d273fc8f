import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import { expect } from "vitest";
import { z } from "zod";
import type { Database } from "../../packages/aftercommit/src/db/client.ts";

export type Plan = {
  "Node Type": string;
  "Index Name"?: string;
  "Relation Name"?: string;
  /** Per loop. */
  "Actual Rows"?: number;
  "Actual Loops"?: number;
  Plans?: Plan[];
};

const planSchema: z.ZodType<Plan> = z.lazy(() =>
  z.object({
    "Node Type": z.string(),
    "Index Name": z.string().optional(),
    "Relation Name": z.string().optional(),
    "Actual Rows": z.number().optional(),
    "Actual Loops": z.number().optional(),
    Plans: z.array(planSchema).optional(),
  }),
);
const explained = z.object({ Plan: planSchema });

// Makes Postgres log the plan of each statement as it is executed, with its values and the settings of its transaction.
const EXPLAIN = `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_format = json;
  set auto_explain.log_level = notice; set auto_explain.log_nested_statements = on;
  set auto_explain.log_analyze = on; set auto_explain.log_timing = off`;

/** How Postgres executed each statement that a query of the product sends, in order. */
export async function plansOf(url: string, run: (db: Database) => Promise<unknown>): Promise<Plan[]> {
  const plans: Plan[] = [];
  const pool = new Pool({ connectionString: url, max: 1, onConnect: (client) => client.query(EXPLAIN) });
  // The pool ends before its connections do, and the database is dropped in the meantime.
  pool.on("error", () => {});
  pool.on("connect", (client) =>
    client.on("notice", ({ message = "" }) => {
      const [, plan] = message.split(/^duration: .* plan:\n/);
      if (plan) plans.push(explained.parse(JSON.parse(plan)).Plan);
    }),
  );
  try {
    await run(drizzle({ client: pool }));
    return plans;
  } finally {
    await pool.end();
  }
}

/** {@link plansOf} for one statement, or for the last. */
export async function planOf(url: string, run: (db: Database) => Promise<unknown>): Promise<Plan> {
  const plan = (await plansOf(url, run)).at(-1);
  if (!plan) throw new Error("No statement was planned");
  return plan;
}

/** Each step of a plan from the top, like "Index Scan posts_pkey" or "Seq Scan posts". */
export function stepsOf(plan: Plan): string[] {
  const name = [plan["Node Type"], plan["Index Name"] ?? plan["Relation Name"]].filter(Boolean).join(" ");
  return [name, ...(plan.Plans ?? []).flatMap(stepsOf)];
}

/** Fails unless the plan uses the index and reads no table from end to end. */
export function expectIndex(plan: Plan, index: string): void {
  const steps = stepsOf(plan);
  expect(steps).toContainEqual(
    expect.stringMatching(new RegExp(`^(Index|Index Only|Bitmap Index) Scan ${index}$`)),
  );
  expect(steps.filter((step) => /Seq Scan/.test(step))).toEqual([]);
}

/** Fails if the plan sorts what an index could return in order. */
export function expectNoSort(plan: Plan): void {
  expect(
    stepsOf(plan).filter((step) => /Sort/.test(step)),
    stepsOf(plan).join(" > "),
  ).toEqual([]);
}
