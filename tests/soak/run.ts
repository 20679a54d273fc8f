// npm run soak [-- --minutes 5] [-- --changes 10000] [-- --kills 30] [-- --seed N]: a steady stream of changes to the
// whole stack while its processes are killed and outside services fail. Then every row is compared with the expected
// state.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cloneProject } from "../helpers/clone.ts";
import { seed as chosenSeed } from "../helpers/seed.ts";
import { choosePorts, DevStack } from "../helpers/stack/dev-stack.ts";
import { everyPostEmbedded } from "../helpers/stack/embeddings.ts";
import { until } from "../helpers/until.ts";
import { diceOf } from "./dice.ts";
import { hold } from "./holder.ts";
import { kill } from "./killer.ts";
import { createKnown, type Known } from "./known.ts";
import { collectMails, readCalls } from "./mails.ts";
import { deliverAgain } from "./postman.ts";
import { figuresOf, print } from "./report.ts";
import { type Distance, distance, judgeDeletions, shortenedModels, undiscovered } from "./truth.ts";
import { countWrongVectors } from "./vectors.ts";
import { makeWeather, VERIFIED_SYSTEM } from "./weather.ts";
import { write } from "./writer.ts";

// A row whose workers died again and again is leased for longer each time, and a failed clean-up is retried every
// minute: nothing takes longer than this.
const STUCK_MS = 11 * 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    changes: { type: "string", default: "10000" },
    kills: { type: "string", default: "30" },
    seed: { type: "string", default: String(chosenSeed) },
  },
});
const [minutes, changes] = [Number(values.minutes), Number(values.changes)];
const [kills, seed] = [Number(values.kills), Number(values.seed)];

/** How many inputs the OpenAI emulator has embedded, according to its log. Texts of one token are probes. */
const inputsOf = ({ output }: DevStack) =>
  [...output.matchAll(/embedded (\d+) inputs?, (?!1 token )/g)].reduce(
    (sum, [, inputs]) => sum + Number(inputs),
    0,
  );

/** Waits until nothing is left to do. Answers with the last look: a run that had to wait looks at its row once more. */
async function settle(stack: DevStack, known: Known): Promise<Distance> {
  let rows: Distance | undefined;
  async function state() {
    rows = (await distance(stack)) ?? rows;
    return { ...rows, undiscovered: await undiscovered(stack, known) };
  }
  try {
    await until(async () => Object.values(await state()).every((count) => count === 0), {
      everyMs: 500,
      what: "the truth in the database",
      progress: state,
      stuckMs: STUCK_MS,
    });
  } catch (error) {
    // The table shows what is missing.
    console.error(error instanceof Error ? error.message : error);
  }
  if (!rows) throw new Error("The database does not answer");
  return rows;
}

const SECRET = "the secret of the soak";

async function soak(stack: DevStack): Promise<boolean> {
  const [appUrl, localUrl] = [stack.ports.app, stack.ports.http].map((port) => `http://127.0.0.1:${port}`);
  const known = createKnown();
  const inputsBefore = inputsOf(stack);
  const endsAt = Date.now() + minutes * 60_000;
  const mails = collectMails(`${localUrl}`);
  const [, again, storms, killed, releasedAt] = await Promise.all([
    write(stack.databaseUrl, known, diceOf(seed, 1), { changes, endsAt }),
    deliverAgain(stack, { appUrl: `${appUrl}`, secret: SECRET, known }, diceOf(seed, 2), endsAt),
    makeWeather(`${localUrl}`, (stream) => diceOf(seed, stream), endsAt),
    kill(stack, diceOf(seed, 4), { kills, endsAt }),
    hold(stack, known, diceOf(seed, 3), endsAt),
  ]);
  const endedAt = performance.now();
  const rows = await settle(stack, known);
  const settledMs = performance.now() - endedAt;
  const inputs = inputsOf(stack) - inputsBefore;
  const wrongVectors = await countWrongVectors(stack);
  const shortened = await shortenedModels(stack);
  const received = { mails: await mails.stop(), calls: await readCalls(`${localUrl}`) };
  const users = await judgeDeletions(stack, { known, releasedAt }, received);
  const judged = { rows, wrongVectors, shortened, users };
  return print(figuresOf({ known, again, storms, ...killed, settledMs, inputs, ...judged }));
}

/** Declares a system beside that of USER_DELETION_WEBHOOK_URLS, which is asked afterwards whether it still has the user. */
function declareVerifiedSystem(folder: string, http: number): void {
  const file = join(folder, "aftercommit.config.ts");
  const url = `http://127.0.0.1:${http}/local/external-system/${VERIFIED_SYSTEM}/user-deleted`;
  const system = `webhook({ name: "${VERIFIED_SYSTEM}", url: "${url}", verify: true })`;
  const declared = readFileSync(file, "utf8")
    .replace("import { ", "import { webhook, ")
    .replace('email: "email" }', `email: "email", systems: [${system}] }`);
  writeFileSync(file, declared);
}

const folder = cloneProject();
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const ports = await choosePorts();
declareVerifiedSystem(folder, ports.http);
const stack = new DevStack(folder, ports, {
  LOCAL_EMBEDDING_MODEL: "hashing",
  SEQUIN_WEBHOOK_SECRET: SECRET,
});
process.on("SIGINT", () => void stack.interrupt().then(() => process.exit(130)));
const log = join(tmpdir(), `aftercommit-soak-${seed}.log`);
try {
  await stack.ready();
  await everyPostEmbedded(stack);
  console.log(`SEED=${seed}: ${changes} changes and ${kills} kills in ${minutes} minutes; log: ${log}`);
  process.exitCode = (await soak(stack)) ? 0 : 1;
} finally {
  writeFileSync(log, stack.output);
  await stack.interrupt();
}
