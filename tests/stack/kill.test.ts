import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../until.ts";
import { commitChanges } from "./changes.ts";
import { cloneProject } from "./clone.ts";
import { choosePorts, DevStack } from "./dev-stack.ts";
import { everyPostEmbedded, wrongEmbeddings } from "./embeddings.ts";

const CHANGES = 200;

let folder: string;
let stack: DevStack;

beforeAll(async () => {
  folder = cloneProject();
  stack = new DevStack(folder, await choosePorts(), { LOCAL_EMBEDDING_MODEL: "hashing" });
  await stack.ready();
}, 180_000);

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe(`kill -9 in the middle of ${CHANGES} changes loses nothing`, () => {
  it.each([
    ["a worker", /dev-run-worker/],
    ["Next.js", /next\/dist\/bin\/next|next-server/],
    ["trigger.dev dev", /trigger\.dev\/dist\/esm\/index\.js/],
    ["the local stack", /local\/main\.ts/],
  ])(
    "of %s",
    async (_, pattern) => {
      const victim = await stack.find(pattern);
      let killed = false;
      await commitChanges(stack.databaseUrl, CHANGES, (n) => {
        if (n !== CHANGES / 2) return;
        process.kill(victim.pid, "SIGKILL");
        killed = true;
      });
      expect(killed).toBe(true);
      await everyPostEmbedded(stack, 120_000);
      await until(async () => (await wrongEmbeddings(stack)).length === 0, {
        timeoutMs: 60_000,
        everyMs: 500,
        what: "every embedding to be that of its post's present text",
      });
      const orphans = await stack.query(
        "select post_id from post_embeddings e where not exists (select from posts where id = e.post_id)",
      );
      expect(orphans).toEqual([]);
      await until(
        () => stack.processes().some(({ command, pid }) => pid !== victim.pid && pattern.test(command)),
        {
          timeoutMs: 60_000,
          what: "the killed process to have been started again",
        },
      );
    },
    300_000,
  );
});
