import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, onTestFailed } from "vitest";
import { cloneProject } from "./clone.ts";
import { choosePorts, DevStack } from "./dev-stack.ts";
import { everyPostEmbedded } from "./embeddings.ts";
import { describeKills } from "./kills.ts";

let folder: string;
let stack: DevStack;

beforeAll(async () => {
  folder = cloneProject();
  stack = new DevStack(folder, await choosePorts(), { LOCAL_EMBEDDING_MODEL: "hashing" });
  await stack.ready();
  await everyPostEmbedded(stack);
});

beforeEach(() => {
  onTestFailed(() => console.log(stack.output));
});

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
});

describeKills(() => stack);
