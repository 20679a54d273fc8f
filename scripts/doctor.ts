// npm run doctor [-- --json] [-- --only database,capture] [-- --list] [-- --wait[=SECONDS]]: looks at everything that
// this app needs, and says what is wrong and how to mend it. Exit code 1 on a failure, 0 with warnings, 2 on bad usage.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { disconnect } from "../drizzle/client.ts";
import { allChecks, categories } from "../lib/doctor/checks.ts";
import { hasFailed, jsonOf, listOf, textOf } from "../lib/doctor/report.ts";
import { checksOf, type Result, runChecks } from "../lib/doctor/run-checks.ts";

const PAUSE_MS = 2_000;
// What a check left behind must not keep the command from its end.
const GRACE_MS = 1_000;

class UsageError extends Error {}

type Options = { json: boolean; list: boolean; only: string[]; waitSeconds: number };

function waitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (text === "") return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError("--wait takes whole seconds: --wait=300");
  return Number(text);
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: args.map((arg) => (arg === "--wait" ? "--wait=" : arg)),
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      wait: { type: "string" },
    },
  });
  const only = values.only.flatMap((names) => names.split(",")).filter(Boolean);
  const unknown = only.find((name) => !categories().includes(name));
  if (unknown !== undefined)
    throw new UsageError(`There is no category ${unknown}; there are ${categories().join(", ")}.`);
  return { json: values.json, list: values.list, only, waitSeconds: waitOf(values.wait) };
}

/** Runs the checks until none fails, as long as `--wait` says, or Ctrl-C. */
async function diagnose({ only, waitSeconds }: Options): Promise<Result[]> {
  const end = Date.now() + waitSeconds * 1_000;
  const interrupt = new AbortController();
  if (waitSeconds > 0) process.once("SIGINT", () => interrupt.abort());
  for (;;) {
    const results = await runChecks(checksOf(allChecks(), only));
    if (!hasFailed(results) || Date.now() >= end || interrupt.signal.aborted) return results;
    const failed = results.filter(({ state }) => state === "failed").map(({ id }) => id);
    process.stderr.write(`waiting for ${failed.join(", ")}\n`);
    await sleep(PAUSE_MS, undefined, { signal: interrupt.signal }).catch(() => undefined);
  }
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options.list) {
    process.stdout.write(listOf(checksOf(allChecks(), options.only)));
    return 0;
  }
  const results = await diagnose(options);
  const color = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(options.json ? jsonOf(results) : textOf(results, { color }));
  return hasFailed(results) ? 1 : 0;
}

function isUsage(error: unknown): error is Error {
  const isOfParser = error instanceof Error && "code" in error && `${error.code}`.startsWith("ERR_PARSE_ARGS");
  return error instanceof UsageError || isOfParser;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!isUsage(error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
await Promise.race([disconnect(), sleep(GRACE_MS)]);
process.exit();
