import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { z } from "zod";
import { TRIGGER_SECRET_KEY } from "../../emulators/stack/emulators.ts";
import { cloneProject } from "../helpers/clone.ts";
import { choosePorts, DevStack } from "../helpers/stack/dev-stack.ts";
import { FOREIGN, startForeignDatabase } from "../helpers/stack/foreign-database.ts";
import { countRuns, openRuns } from "../helpers/stack/open-runs.ts";
import { until } from "../helpers/until.ts";

let folder: string;
let database: Awaited<ReturnType<typeof startForeignDatabase>>;
let before: Record<string, string[]>;
let stack: DevStack;

beforeAll(async () => {
  database = await startForeignDatabase(50);
  before = await database.dump();
  folder = cloneProject();
  stack = new DevStack(folder, await choosePorts(), { ...FOREIGN, DATABASE_URL: database.url });
  await stack.ready();
});

beforeEach(() => {
  onTestFailed(() => console.log(stack.output));
});

afterAll(async () => {
  await stack?.interrupt();
  await database?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

async function schedules(): Promise<unknown[]> {
  const response = await fetch(`http://127.0.0.1:${stack.ports.http}/api/v1/schedules`, {
    headers: { authorization: `Bearer ${TRIGGER_SECRET_KEY}` },
  });
  return z.object({ data: z.array(z.unknown()) }).parse(await response.json()).data;
}

const readyWorkers = () => stack.output.match(/local worker ready/gi)?.length ?? 0;

async function killAndAwait(victim: RegExp, isBack: () => boolean | Promise<boolean>, what: string) {
  const { pid } = await stack.find(victim);
  process.kill(pid, "SIGKILL");
  await until(() => !stack.processes().some((process) => process.pid === pid), { what: "its end" });
  await until(isBack, { everyMs: 200, what, progress: () => stack.progress() });
}

describe("npm run dev with a database that is not the emulator's", () => {
  it("has no schedule that would ever fire", async () => {
    expect(await schedules()).toEqual([]);
  });

  it("triggers nothing at its start, nor when one of its processes restarts", async () => {
    expect(await countRuns(stack)).toBe(0);
    const workers = readyWorkers();
    await killAndAwait(
      /trigger\.dev\/dist\/esm\/index\.js/,
      () => readyWorkers() > workers,
      "the next worker",
    );
    const answers = () =>
      countRuns(stack).then(
        () => true,
        () => false,
      );
    await killAndAwait(/emulators\/stack\/main\.ts/, answers, "the local stack to answer");
    expect(await countRuns(stack)).toBe(0);
  });

  it("changes no row and adds nothing in the end", async () => {
    const allEnded = async () => (await openRuns(stack)) === 0;
    await until(allEnded, {
      everyMs: 200,
      what: "end of what should not have begun",
      progress: () => stack.progress(),
    });
    expect(await database.dump()).toEqual(before);
  });
});
