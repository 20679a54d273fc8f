import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { allChecks, categories } from "./checks.ts";
import { hasFailed, jsonOf, listOf, textOf } from "./report.ts";
import { checksOf, type Result, runChecks } from "./run-checks.ts";

const PAUSE_MS = 2_000;

class UsageError extends Error {}

type Options = { json: boolean; list: boolean; only: string[]; waitSeconds: number };

/** `stopped` ends a wait; `color` is for a terminal. */
type Surroundings = {
  out: (text: string) => void;
  err: (text: string) => void;
  stopped: AbortSignal;
  color: boolean;
};

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

/** Runs the checks until none fails, as long as `--wait` says, or until it is stopped. */
async function diagnose({ only, waitSeconds }: Options, { err, stopped }: Surroundings): Promise<Result[]> {
  const end = Date.now() + waitSeconds * 1_000;
  for (;;) {
    const results = await runChecks(checksOf(allChecks(), only));
    if (!hasFailed(results) || Date.now() >= end || stopped.aborted) return results;
    const failed = results.filter(({ state }) => state === "failed").map(({ id }) => id);
    err(`waiting for ${failed.join(", ")}\n`);
    await sleep(PAUSE_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const options = optionsOf(args);
  const { out, color } = surroundings;
  if (options.list) {
    out(listOf(checksOf(allChecks(), options.only)));
    return 0;
  }
  const results = await diagnose(options, surroundings);
  out(options.json ? jsonOf(results) : textOf(results, { color }));
  return hasFailed(results) ? 1 : 0;
}

function isUsage(error: unknown): error is Error {
  const isOfParser =
    error instanceof Error && "code" in error && `${error.code}`.startsWith("ERR_PARSE_ARGS");
  return error instanceof UsageError || isOfParser;
}

/** `npm run doctor`. Resolves with its exit code: 1 on a failure, 0 with warnings, 2 on bad usage. */
export async function doctor(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await run(args, surroundings);
  } catch (error) {
    if (!isUsage(error)) throw error;
    surroundings.err(`${error.message}\n`);
    return 2;
  }
}
