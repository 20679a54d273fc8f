import { spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../../tests/helpers/until.ts";

export type Child = { output(): string; stop(): Promise<void> };

type Options = { cwd: string; env?: NodeJS.ProcessEnv; ready: RegExp };

const stops = new Set<() => void>();
// When this process ends for any reason, so do its children.
process.on("exit", () => {
  for (const stop of stops) stop();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

/** Starts a command in a new process group and resolves when it has printed that it serves. */
export async function startChild(command: string, args: readonly string[], options: Options): Promise<Child> {
  const { cwd, env = {}, ready } = options;
  const { PATH, HOME } = process.env;
  const child = spawn(command, args, {
    cwd,
    env: { NODE_ENV: "production", PATH, HOME, ...env },
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const signal = (name: NodeJS.Signals) => {
    if (child.pid === undefined || !isRunning()) return;
    process.kill(-child.pid, name);
  };
  const leave = () => signal("SIGTERM");
  stops.add(leave);
  await until(
    () => {
      if (!isRunning()) throw new Error(`${command} ${args.join(" ")} ended:\n${output}`);
      return ready.test(output);
    },
    { everyMs: 50, progress: () => output, what: `${ready} from ${command} ${args.join(" ")}` },
  );
  return {
    output: () => output,
    async stop() {
      stops.delete(leave);
      if (!isRunning()) return;
      const exited = once(child, "exit");
      signal("SIGINT");
      await exited;
    },
  };
}
