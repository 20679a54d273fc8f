// `npm test`: runs every suite and ends with one line of totals. Arguments go to Vitest: npm test -- tests/unit
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { z } from "zod";

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

type Report = z.infer<typeof report>;

function suiteOf(file: string): string {
  const [top = "", inside = ""] = relative(process.cwd(), file).split(sep);
  return top === "tests" ? inside : top === "local" ? `${top}/${inside}` : top;
}

function printSuites({ testResults }: Report): void {
  const suites = new Map<string, { passed: number; failed: number; skipped: string[] }>();
  for (const { name, status, assertionResults } of testResults) {
    const suite = suites.get(suiteOf(name)) ?? { passed: 0, failed: 0, skipped: [] };
    for (const test of assertionResults) {
      if (test.status === "passed") suite.passed += 1;
      else if (test.status === "failed") suite.failed += 1;
      else suite.skipped.push(test.fullName);
    }
    // A file that could not be loaded has no tests to fail.
    if (status === "failed" && assertionResults.length === 0) suite.failed += 1;
    suites.set(suiteOf(name), suite);
  }
  for (const [name, { passed, failed, skipped }] of [...suites].sort()) {
    console.log(`${name.padEnd(16)} ${passed} passed, ${failed} failed, ${skipped.length} skipped`);
    for (const test of skipped) console.log(`  skipped: ${test}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), "aftercommit-test-"));
const outputFile = join(folder, "report.json");
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${outputFile}`,
    ...process.argv.slice(2),
  ],
  { stdio: "inherit" },
);

try {
  const totals = report.parse(JSON.parse(readFileSync(outputFile, "utf8")));
  const unloaded = totals.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  const failed = totals.numFailedTests + unloaded.length;
  printSuites(totals);
  console.log(`${totals.numPassedTests} passed, ${failed} failed`);
  // A suite that was skipped whole, with its reason above, has not failed; one without a test has.
  const none = totals.numPassedTests + totals.numPendingTests === 0;
  process.exitCode = status === 0 && failed === 0 && !none ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
