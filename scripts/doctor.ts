// npm run doctor [-- --json] [-- --only database,capture] [-- --list] [-- --wait[=SECONDS]]: looks at everything that
// this app needs, and says what is wrong and how to mend it. See docs/doctor.md.
import { setTimeout as sleep } from "node:timers/promises";
import { disconnect } from "../drizzle/client.ts";
import { doctor } from "../lib/doctor/command.ts";

// What a check left behind must not keep the command from its end.
const GRACE_MS = 1_000;

const args = process.argv.slice(2);
const interrupt = new AbortController();
// Ctrl-C ends a wait by a report; without one, the command.
if (args.some((arg) => arg.startsWith("--wait"))) process.once("SIGINT", () => interrupt.abort());

process.exitCode = await doctor(args, {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stopped: interrupt.signal,
  color: process.stdout.isTTY && !process.env.NO_COLOR,
});
await Promise.race([disconnect(), sleep(GRACE_MS)]);
process.exit();
