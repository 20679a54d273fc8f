import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ingressRoutes } from "../ingress-routes.ts";
import { scheduledTasks } from "../scheduled-tasks.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "declarations-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("takes the routes to compile from sequin.yaml, each once", () => {
  expect(ingressRoutes()).toEqual(["/api/create-embedding-for-post", "/api/delete-user"]);
  const file = join(folder, "sequin.yaml");
  const sink = (path: string) => `  - destination: { http_endpoint_path: "${path}" }\n`;
  writeFileSync(file, `sinks:\n${["/a", "/b", "/a"].map(sink).join("")}`);
  expect(ingressRoutes(file)).toEqual(["/a", "/b"]);
});

it("takes the tasks to catch up with from the files' names", () => {
  expect(scheduledTasks()).toEqual(["reconcile-post-embeddings", "resume-user-deletions"]);
  for (const name of ["reconcile-x.ts", "resume-y.ts", "create-z.ts", "reconcile.md"])
    writeFileSync(join(folder, name), "");
  expect(scheduledTasks(folder)).toEqual(["reconcile-x", "resume-y"]);
});
