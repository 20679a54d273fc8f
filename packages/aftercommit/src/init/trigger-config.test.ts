import { expect, it } from "vitest";
import { read } from "@/tests/helpers/documents.ts";
import { adviceOnVariables, triggerConfig } from "./trigger-config.ts";

it("sends the tasks' variables as docs/install.md shows, if the project has Trigger.dev's build package", () => {
  const config = triggerConfig({ hasTriggerBuild: true });
  const [shown = ""] = /^import \{ syncEnvVars[^`]*/m.exec(read("docs/install.md")) ?? [];
  const [imported, build] = shown.split("\n\n");
  expect(config.startsWith(`${imported}\n`)).toBe(true);
  for (const line of build?.trim().split("\n") ?? [""]) expect(config).toContain(`  ${line}\n`);
  expect(adviceOnVariables(config, "4.8.3")).toEqual([]);
});

it("imports nothing that the project lacks, and then says how to send them", () => {
  const config = triggerConfig({ hasTriggerBuild: false });
  expect(config).toBe(read("examples/trigger.config.ts"));
  expect(adviceOnVariables(config, "4.8.3")).toContain("  npm install --save-dev @trigger.dev/build@4.8.3");
});
