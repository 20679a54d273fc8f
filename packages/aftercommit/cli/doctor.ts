// npx aftercommit doctor: checks the whole setup, and says what is wrong and how to fix it. See docs/doctor.md.
import { setTimeout as sleep } from "node:timers/promises";
import { disconnect } from "../src/db/client.ts";
import { doctor } from "../src/doctor/command.ts";
import { messageOf } from "../src/errors.ts";
import { loadDeclarations } from "./load-declarations.ts";

// What a check left behind must not keep the command from ending.
const GRACE_MS = 1_000;

const args = process.argv.slice(2);
const interrupt = new AbortController();
// Ctrl-C ends a wait with a report; without a wait, it ends the command.
if (args.some((arg) => arg.startsWith("--wait"))) process.once("SIGINT", () => interrupt.abort());

try {
  process.exitCode = await doctor(args, {
    declarations: await loadDeclarations(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stopped: interrupt.signal,
    color: process.stdout.isTTY && !process.env.NO_COLOR,
  });
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
await Promise.race([disconnect(), sleep(GRACE_MS)]);
process.exit();
