import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ClassicLevel } from "classic-level";
import { expect, onTestFinished, test, vi } from "vitest";
import { serve } from "./helpers/serve.ts";
import { spawnServer } from "./helpers/spawn-server.ts";
import { Worker } from "./helpers/worker.ts";

test("while nothing can be written no request succeeds, and afterwards all is written, also what failed", async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-full-"));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  let server = await serve({ dataDir });
  let worker = new Worker(server.url);
  await worker.register([{ id: "job" }]);
  const known = await worker.trigger("job");

  const { batch } = ClassicLevel.prototype;
  const write = vi.spyOn(ClassicLevel.prototype, "batch").mockRejectedValue(new Error("No space left"));
  const refused = await worker.trigger("job", { idempotencyKey: "refused" });
  expect(refused.status).toBe(500);
  expect(server.lines.join("\n")).toContain("No space left");
  write.mockImplementation(batch);

  const later = await worker.trigger("job");
  expect(later.status).toBe(200);
  const repeated = await worker.trigger("job", { idempotencyKey: "refused" });
  expect(repeated).toMatchObject({ status: 200, isCached: true });
  await server.close();

  server = await serve({ dataDir });
  worker = new Worker(server.url);
  for (const { id } of [known, later, repeated]) expect((await worker.retrieve(id)).status).toBe("QUEUED");
  await server.close();
});

test.runIf(process.platform === "linux")(
  "a file that cannot grow any more costs nothing that was answered",
  {
    timeout: 60_000,
  },
  async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), "local-trigger-full-"));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const small = await spawnServer(dataDir, { fileKb: 400 });
    const client = new Worker(small.url);
    const accepted: string[] = [];
    let refused = 0;
    while (accepted.length < 200) {
      const { status, id } = await client.trigger("job", {}, "x".repeat(5_000));
      if (status === 200) accepted.push(id);
      else refused += 1;
      expect(refused).toBeLessThan(20);
    }
    expect(refused).toBeGreaterThan(0);
    await small.kill();

    const server = await serve({ dataDir });
    const worker = new Worker(server.url);
    for (const id of accepted) expect((await worker.retrieve(id)).status).toBe("QUEUED");
    await server.close();
  },
);
