import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { POOLED } from "./tests/pooled.ts";

// The longest first, because they would otherwise run alone at the end, and none late that mostly waits.
const LONGEST = [
  "tests/stack/kills.test",
  "tests/install/",
  "tests/browser/dev.test",
  "tests/deletions/pipeline.test",
  "tests/stack/dev.test",
  "tests/commands/",
  "tests/postgres/dev-capture.test",
  "tests/postgres/inbox-interleaving.test",
  "tests/postgres/capture",
  "tests/foreign/databases.test",
  "src/providers/matrix.test",
  "src/db/hung-database.test",
  "src/ingress/trigger-down.test",
  "src/deletions/outcomes.test",
  "src/search/rates.test",
  "emulators/sequin/tests/batches.test",
  "tests/stack/",
  "emulators/postgres/tests/folder.test",
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

// `until` notices within a minute that nothing happens any more; this only ends what hangs silently.
const HANGS = 600_000;

const shared = {
  // As in tsconfig.json.
  alias: { "@": import.meta.dirname },
  pool: "forks",
  globalSetup: "tests/helpers/postgres-template.ts",
  testTimeout: HANGS,
  hookTimeout: HANGS,
  expect: { poll: { timeout: 60_000 } },
} as const;

const suites = {
  ...shared,
  // More than cores, because a test mostly waits for another process. A real PostgreSQL needs a part of them itself.
  maxWorkers: process.env.TEST_DATABASE_URL ? 3 : 4,
  // V8 would optimize the WebAssembly of each Postgres again, which for all but its hottest functions costs more than
  // these short lives gain.
  execArgv: ["--wasm-tiering-budget=20000000"],
  sequence: { groupOrder: 0 },
};

/** Suites with their own command that start whole stacks and mostly wait for them: two files at a time. */
const ofStacks = (name: string, include: string[], setup: string[] = []) => ({
  test: {
    ...shared,
    name,
    include,
    globalSetup: [shared.globalSetup, ...setup],
    maxWorkers: 2,
    sequence: { groupOrder: 1 },
  },
});

const kills = [
  "tests/stack/*.test.ts",
  "tests/deletions/pipeline.test.ts",
  "emulators/postgres/tests/folder.test.ts",
  "emulators/sequin/tests/kill.test.ts",
  "emulators/trigger/tests/restart.test.ts",
];

const NEXT = "next/dist/server/node-environment-baseline.js";

const isPooled = process.env.TEST_POOLER_PORT !== undefined;
// Its faults are those of the emulator; tests/postgres/doctor.test.ts has those of a server.
const doctor = "packages/aftercommit/src/doctor/**";
const pooled = POOLED.map((path) => (path.endsWith("/") ? `${path}**/*.test.ts` : path));

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...suites,
          name: "suites",
          include: ["*.test.ts", "{app,bench,dev,emulators/*/tests,packages,tests}/**/*.test.ts"],
          exclude: [
            "**/node_modules/**",
            "tests/browser/**",
            "emulators/trigger/tests/suite/**",
            "tests/postgres/**",
            "tests/deploy/image.test.ts",
            "tests/install/**",
            "tests/pooler/**",
            // They start whole stacks and parts, and kill them: minutes on a slow machine.
            ...kills,
            ...(isPooled ? pooled : []),
            // Commands among 2,000 posts, killed at each step: minutes on PGlite. `test:postgres` runs them.
            ...(process.env.TEST_DATABASE_URL ? [doctor] : ["tests/commands/**"]),
          ],
          // Files share their modules: loading the SDK and the ORM for each of them took seconds. Next.js' modules look
          // for globals when they are loaded.
          isolate: false,
          setupFiles: NEXT,
        },
      },
      ...(isPooled
        ? [
            {
              test: {
                ...suites,
                name: "pooler",
                include: pooled,
                exclude: ["**/node_modules/**", doctor, ...kills],
                isolate: false,
                setupFiles: [NEXT, "tests/helpers/through-pooler.ts"],
              },
            },
          ]
        : []),
      // Only reads files: a part of `npm run check`.
      { test: { name: "house", include: ["tests/house/**/*.test.ts"] } },
      ofStacks("trigger", ["emulators/trigger/tests/suite/**/*.test.ts"]),
      ofStacks("install", ["tests/install/**/*.test.ts"], ["tests/helpers/install/tarball.ts"]),
      ofStacks("browser", ["tests/browser/**/*.test.ts"]),
      ofStacks("kills", kills),
      // Each of its files that stops or sets up a server has one to itself.
      { test: { ...suites, name: "postgres", include: ["tests/postgres/**/*.test.ts"] } },
      { test: { ...shared, name: "image", include: ["tests/deploy/image.test.ts"] } },
    ],
  },
});
