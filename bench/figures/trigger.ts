import { configure, runs, tasks } from "@trigger.dev/sdk";
import { ACCESS_TOKEN, SECRET_KEY, serve } from "../../emulators/trigger/tests/helpers/serve.ts";
import { copyProject, removeProject, startCli } from "../../emulators/trigger/tests/suite/cli.ts";
import type { Bench } from "../bench.ts";
import { Times } from "../report.ts";

const BURST = 500;
const AT_ONCE = 50;

/** The Trigger.dev emulator, the real CLI and the real SDK, with tasks that do nothing. */
export async function run({ quick, figure, times, progress }: Bench): Promise<void> {
  const endings = new Map<string, () => void>();
  const server = await serve({
    log(line) {
      const [id = "", , event] = line.split(" ");
      if (event === "completed") endings.get(id)?.();
    },
  });
  const ended = (id: string) => new Promise<void>((resolve) => endings.set(id, resolve));
  configure({ baseURL: server.url, accessToken: SECRET_KEY });
  const project = await copyProject();
  const cli = await startCli(project, {
    apiUrl: server.url,
    secretKey: SECRET_KEY,
    accessToken: ACCESS_TOKEN,
    projectRef: "proj_bench",
  });

  async function one(): Promise<void> {
    const { id } = await tasks.trigger("echo", {});
    const end = ended(id);
    const { status } = await runs.retrieve(id);
    if (status !== "COMPLETED") await end;
  }

  async function burst(size: number): Promise<number> {
    const started = performance.now();
    const open: Promise<void>[] = [];
    for (let sent = 0; sent < size; sent += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          const { id } = await tasks.trigger("echo", {});
          open.push(ended(id));
        }),
      );
    await Promise.all(open);
    return (size / (performance.now() - started)) * 1_000;
  }

  try {
    for (let nth = 0; nth < 20; nth += 1) await one();
    const took = new Times();
    for (let nth = 0; nth < 100; nth += 1) await took.measure(one);
    times("trigger of a run that does nothing to its end", took);
    progress("bursts");
    const size = quick ? AT_ONCE : BURST;
    figure(`runs that do nothing, burst of ${size}, new CLI`, await burst(size), "runs/s");
    figure(`runs that do nothing, burst of ${size}, then`, await burst(size), "runs/s");
  } finally {
    await cli.stop();
    await server.close();
    await removeProject(project);
  }
}
