import { defineConfig } from "vitest/config";

const shared = { pool: "forks", testTimeout: 30_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "parts",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/stack/**", "tests/browser/**"],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The whole stack needs the machine to itself: Next.js, the CLI, Postgres and a model.
        test: {
          ...shared,
          name: "stack",
          include: ["tests/stack/**/*.test.ts", "tests/browser/**/*.test.ts"],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
