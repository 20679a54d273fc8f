import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// These take minutes: started last, they would run alone at the end.
const LONGEST = [
  "tests/stack/dev",
  "tests/deletions/pipeline",
  "tests/local/trigger/restart",
  "tests/local/postgres/folder",
  "tests/local/sequin/kill",
  "tests/local/sequin/rules",
];

function place({ moduleId }: TestSpecification): number {
  const index = LONGEST.findIndex((path) => moduleId.includes(path));
  return index === -1 ? LONGEST.length : index;
}

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

const shared = { pool: "forks", testTimeout: 30_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...shared,
          name: "suites",
          globalSetup: "tests/postgres-template.ts",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/browser/**", "tests/local/trigger/suite/**"],
          // More than cores: much of a test is a wait for another process.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: "trigger",
          include: ["tests/local/trigger/suite/**/*.test.ts"],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: "browser",
          globalSetup: "tests/postgres-template.ts",
          include: ["tests/browser/**/*.test.ts"],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
