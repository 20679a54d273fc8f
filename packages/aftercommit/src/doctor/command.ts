import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Declaration } from "../declare/declaration.ts";
import { messageOf } from "../errors.ts";
import { CATEGORY_NAMES, diagnose } from "./diagnose.ts";
import { hasFailed, jsonOf, listOf, textOf } from "./report.ts";

const PAUSE_MS = 2_000;

/** `stopped` ends a wait; `color` is for a terminal. */
type Terminal = {
  declarations: readonly Declaration[];
  out: (text: string) => void;
  err: (text: string) => void;
  stopped: AbortSignal;
  color: boolean;
};

/** @throws if the command line is invalid, and only then */
function optionsOf(args: readonly string[]) {
  const { values } = parseArgs({
    args: args.map((arg) => (arg === "--wait" ? "--wait=" : arg)),
    options: {
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      "test-webhooks": { type: "boolean", default: false },
      wait: { type: "string" },
    },
  });
  const only = values.only.flatMap((names) => names.split(",")).filter(Boolean);
  const unknown = only.find((name) => !CATEGORY_NAMES.includes(name));
  if (unknown !== undefined)
    throw new Error(`There is no category ${unknown}; there are ${CATEGORY_NAMES.join(", ")}.`);
  const waitSeconds = values.wait === undefined ? 0 : Number(values.wait || Number.POSITIVE_INFINITY);
  if (!(waitSeconds >= 0)) throw new Error("--wait takes seconds: --wait=300");
  return { json: values.json, list: values.list, only, waitSeconds, testWebhooks: values["test-webhooks"] };
}

type Options = ReturnType<typeof optionsOf>;

/** Repeats the checks until none fails, until `--wait` is over, or until it is stopped. */
async function run({ only, waitSeconds, testWebhooks }: Options, { declarations, err, stopped }: Terminal) {
  const end = Date.now() + waitSeconds * 1_000;
  for (;;) {
    const findings = await diagnose(declarations, { only, testWebhooks });
    if (!hasFailed(findings) || Date.now() >= end || stopped.aborted) return findings;
    const failed = findings.filter(({ state }) => state === "failed").map(({ id }) => id);
    err(`waiting for ${failed.join(", ")}\n`);
    await sleep(PAUSE_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** `npx aftercommit doctor`. Resolves with its exit code: 0 without a failure, 1 with one, 2 for invalid usage. */
export async function doctor(args: readonly string[], terminal: Terminal): Promise<number> {
  let options: Options;
  try {
    options = optionsOf(args);
  } catch (error) {
    terminal.err(`${messageOf(error)}\n`);
    return 2;
  }
  if (options.list) {
    terminal.out(listOf(options.only));
    return 0;
  }
  const findings = await run(options, terminal);
  terminal.out(options.json ? jsonOf(findings) : textOf(findings, terminal));
  return hasFailed(findings) ? 1 : 0;
}
