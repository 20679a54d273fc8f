import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// These take longest: started last, they would run alone at the end.
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

// Those that share a worker come last, together: a file in between would end it.
const alone = ({ project }: TestSpecification) => (project.config.isolate ? 0 : 1);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => place(a) - place(b) || alone(a) - alone(b));
  }
}

const shared = { pool: "forks", testTimeout: 30_000, hookTimeout: 60_000 } as const;

const suites = {
  ...shared,
  globalSetup: "tests/postgres-template.ts",
  // More than cores: much of a test is a wait for another process.
  maxWorkers: 4,
  // V8 optimizes the WebAssembly of each Postgres anew, which costs more than these short lives gain by it.
  execArgv: ["--liftoff-only"],
  sequence: { groupOrder: 0 },
};

const nextjs = ["tests/pages/**/*.test.ts", "tests/routes/**/*.test.ts"];

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...suites,
          name: "suites",
          include: ["tests/**/*.test.ts"],
          exclude: [...nextjs, "tests/browser/**", "tests/local/trigger/suite/**"],
          // Files share their modules: loading the SDK and the ORM for each of them took seconds.
          isolate: false,
        },
      },
      // Next.js' modules look for globals as they are loaded, and miss them in a process that files share.
      { test: { ...suites, name: "suites-nextjs", include: nextjs } },
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
