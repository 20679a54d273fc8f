// Prints how many no-op runs a second the local Trigger.dev server, the real CLI and the real SDK complete,
// and how long one takes from its trigger to its end: node --import tsx bench/trigger.ts [runs]
import { configure, runs, tasks } from "@trigger.dev/sdk";
import { ACCESS_TOKEN, SECRET_KEY, serve } from "../tests/local/trigger/helpers/serve.ts";
import { copyProject, removeProject, startCli } from "../tests/local/trigger/suite/cli.ts";

const count = Number(process.argv[2] ?? 500);
const concurrency = process.argv[3] === undefined ? undefined : Number(process.argv[3]);

const endings = new Map<string, () => void>();
const server = await serve({
  limits: concurrency === undefined ? {} : { concurrency },
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

async function timeOne(): Promise<number> {
  const from = performance.now();
  const { id } = await tasks.trigger("echo", {});
  const { status } = await runs.retrieve(id);
  if (status !== "COMPLETED") await ended(id);
  return performance.now() - from;
}

async function burst(size: number): Promise<number> {
  const from = performance.now();
  const open: Promise<void>[] = [];
  for (let sent = 0; sent < size; sent += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, size - sent) }, async () => {
        const { id } = await tasks.trigger("echo", {});
        open.push(ended(id));
      }),
    );
  await Promise.all(open);
  return (size / (performance.now() - from)) * 1_000;
}

const quantile = (sorted: number[], q: number) => sorted[Math.floor(sorted.length * q)]?.toFixed(0);

for (let i = 0; i < 20; i += 1) await timeOne();
const times: number[] = [];
for (let i = 0; i < 100; i += 1) times.push(await timeOne());
times.sort((a, b) => a - b);
console.log(`one at a time: p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms (100 runs)`);
console.log(`burst, cold:   ${(await burst(count)).toFixed(0)} runs/s (${count} runs)`);
console.log(`burst, warm:   ${(await burst(count)).toFixed(0)} runs/s (${count} runs)`);

await cli.stop();
await server.close();
await removeProject(project);
process.exit(0);
