import { dirname, relative, sep } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

function suiteOf(file: string): string {
  const path = relative(process.cwd(), dirname(file)).split(sep);
  const [top] = path;
  return (
    path
      .slice(top === "tests" ? 1 : top === "packages" ? 2 : 0)
      .slice(0, 2)
      .join("/") || "."
  );
}

function countsOf(modules: readonly TestModule[]) {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  // A file that could not be loaded, or a failed hook, has no test that fails.
  const broken = modules.filter(
    (module) => module.state() === "failed" && ![...module.children.allTests("failed")].length,
  );
  return {
    passed: inState("passed").length,
    failed: inState("failed").length + broken.length,
    skipped: inState("skipped").map(({ fullName }) => fullName),
  };
}

/** Ends a run with a line per suite, the names of what was skipped, and one line of totals. */
export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = [...new Set(modules.map(({ moduleId }) => suiteOf(moduleId)))].sort();
    const lines = suites.flatMap((name) => {
      const { passed, failed, skipped } = countsOf(modules.filter((one) => suiteOf(one.moduleId) === name));
      const line = `${name.padEnd(16)} ${passed} passed, ${failed} failed, ${skipped.length} skipped`;
      return [line, ...skipped.map((test) => `  skipped: ${test}`)];
    });
    const { passed, failed } = countsOf(modules);
    // After the default reporter's own end.
    process.once("exit", () => console.log([...lines, `${passed} passed, ${failed} failed`].join("\n")));
  }
}
