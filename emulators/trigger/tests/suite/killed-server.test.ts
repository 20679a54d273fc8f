import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { configure, runs, tasks } from "@trigger.dev/sdk";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../../../../tests/helpers/until.ts";
import { ACCESS_TOKEN, SECRET_KEY } from "../helpers/serve.ts";
import { spawnServer } from "../helpers/spawn-server.ts";
import { copyProject, removeProject, startCli } from "./cli.ts";

const RUNS = 30;

test("the CLI finishes every run, once, on a server that is killed and started again", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-killed-"));
  let server = await spawnServer(dataDir);
  const { url: apiUrl } = server;
  configure({ baseURL: apiUrl, accessToken: SECRET_KEY });
  const project = await copyProject();
  onTestFinished(async () => {
    await removeProject(project);
    await rm(dataDir, { recursive: true, force: true });
  });
  const cli = await startCli(project, {
    apiUrl,
    secretKey: SECRET_KEY,
    accessToken: ACCESS_TOKEN,
    projectRef: "proj_killed",
  });

  onTestFinished(() => cli.stop());

  const ids: string[] = [];
  for (let n = 0; n < RUNS; n += 1) ids.push((await tasks.trigger("slow", { ms: 300 })).id);
  const retrieveAll = () => Promise.all(ids.map((id) => runs.retrieve(id)));
  const completed = async () => (await retrieveAll()).filter(({ status }) => status === "COMPLETED").length;
  for (const enough of [RUNS / 6, RUNS / 2]) {
    await until(async () => (await completed()) >= enough, { what: `${enough} runs`, progress: completed });
    // Within the 7.5 s for which the CLI repeats a request. It forgets a completion that it could not report.
    server = await spawnServer(dataDir, { port: Number(new URL(apiUrl).port), replaces: server });
  }
  await until(async () => (await completed()) === RUNS, {
    everyMs: 500,
    what: "end of all runs",
    progress: completed,
  });
  expect((await retrieveAll()).map(({ attemptCount }) => attemptCount)).toEqual(Array(RUNS).fill(1));
});
