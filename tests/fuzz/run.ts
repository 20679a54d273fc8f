// npm run fuzz [-- --requests 100000] [-- --seed N] [-- --only N]: sends what no client should to the production build,
// and checks each response and every resulting run. --only repeats one request of a seed; --built uses the build that
// `npm run build` left in this folder.
import { parseArgs } from "node:util";
import { seed as chosenSeed } from "../helpers/seed.ts";
import { judge } from "./judge.ts";
import { watchMemory } from "./memory.ts";
import { requestOf } from "./plan.ts";
import { createReport } from "./report.ts";
import { type Run, startTarget, type Target } from "./target.ts";
import { exchange } from "./wire.ts";

const AT_ONCE = 8;
const LIMIT_MS = 60_000;
const MOST_TRIES = 5;
const MOST_BYTES = 1_500_000_000;
const MOST_PROBLEMS = 10;
const DRAIN = "create-embeddings-for-posts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: String(chosenSeed) },
    only: { type: "string" },
    built: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const only = values.only === undefined ? undefined : Number(values.only);
const count = Number(values.requests);
const report = createReport(seed);
// What was accepted, and the runs that responses named.
const accepted = new Set<string>();
const triggered = new Set<string>();

/** Linux takes all of 127.0.0.0/8 for loopback: each request comes from a different address. */
function addressOf(n: number, fromOneAddress = false): string | undefined {
  if (process.platform !== "linux") return undefined;
  if (fromOneAddress) return "127.1.0.1";
  return `127.${2 + (n % 250)}.${Math.floor(n / 250) % 250}.${1 + (Math.floor(n / 62_500) % 250)}`;
}

async function send({ port, isRunning }: Target, n: number): Promise<void> {
  const request = requestOf(seed, n);
  const startedAt = performance.now();
  try {
    const localAddress = addressOf(n, request.fromOneAddress);
    const ask = async () => {
      const answer = await exchange(port, request.pieces, { localAddress, limitMs: LIMIT_MS });
      report.answered(request.kind, answer.status, performance.now() - startedAt);
      const judged = judge(request, answer);
      for (const run of judged.runs) triggered.add(run);
      return { ...judged, status: answer.status };
    };
    let { status, problem } = await ask();
    for (const row of request.accepts ?? []) accepted.add(row);
    // The database did not answer in time, as on a busy machine. Sequin would deliver again.
    for (let tries = 1; status === 503 && tries < MOST_TRIES; tries += 1) ({ status, problem } = await ask());
    // Requests in flight when the process ended are reported once, at the end.
    if (problem && isRunning()) report.problem(n, request.kind, problem);
  } catch (error) {
    report.problem(n, request.kind, error instanceof Error ? error.message : String(error));
  }
}

async function sendAll(target: Target): Promise<void> {
  let next = only ?? 0;
  const end = only === undefined ? count : only + 1;
  const work = async () => {
    while (next < end && report.problems() < MOST_PROBLEMS && target.isRunning()) {
      const n = next;
      next += 1;
      await send(target, n);
      report.progress(n, end);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Compares the final state with what was accepted. */
function compare(rows: ReadonlySet<string>, runs: readonly Run[]): void {
  const tell = (found: readonly string[], what: string) => {
    if (found.length > 0) report.whole(`${found.length} ${what}: ${found[0]}`);
  };
  const ids = new Set(runs.map(({ id }) => id));
  const drains = runs.filter(({ task }) => task === DRAIN);
  const others = runs.filter(({ task, tags }) => task !== DRAIN && !tags.some((tag) => accepted.has(tag)));
  tell(
    [...accepted].filter((row) => !rows.has(row)),
    "rows were accepted and are not there",
  );
  tell(
    [...rows].filter((row) => !accepted.has(row)),
    "rows that no valid request asked for",
  );
  tell(
    [...triggered].filter((run) => !ids.has(run)),
    "runs were answered and are not there",
  );
  tell(
    others.map(({ id }) => id),
    "runs that no valid request asked for",
  );
  // A run is requested once a minute until one starts, which none does here.
  const most = 1 + Math.ceil(performance.now() / 60_000);
  if (drains.length > most) report.whole(`${drains.length} runs of the drain, and not ${most} at most`);
}

console.log(`SEED=${seed}`);
const target = await startTarget({ built: values.built });
const memory = watchMemory(target.pid);
try {
  await sendAll(target);
  memory.stop();
  if (!target.isRunning()) report.whole(`next start ended:\n${target.output().slice(-3_000)}`);
  else if ((await fetch(`${target.url}/api/health`)).status !== 200)
    report.whole("it is not healthy afterwards");
  const [rows, runs] = [await target.rows(), await target.runs()];
  compare(rows, runs);
  const unexpected = target.output().match(/^.*(ingress\.failed|unhandled|⨯).*$/gim) ?? [];
  if (unexpected.length > 0)
    report.whole(`${unexpected.length} errors in the log, the first: ${unexpected[0]}`);
  if (memory.peak() > MOST_BYTES) report.whole(`it took more than ${MOST_BYTES / 1e6} MB`);
  report.print({ rows: rows.size, runs: runs.length, peakBytes: memory.peak() });
} finally {
  await target.stop();
}
process.exit(report.problems() > 0 ? 1 : 0);
