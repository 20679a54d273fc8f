import { writeFileSync } from "node:fs";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

export type Figure = {
  benchmark: string;
  what: string;
  value: number;
  unit: string;
  wanted?: string;
  good?: boolean;
};

/** What a count must be. Times are judged only if a promise is about them, and never with `--quick`. */
export type Wanted = { exactly: number } | { atMost: number } | { atLeast: number };

function judge(value: number, wanted: Wanted): { wanted: string; good: boolean } {
  if ("exactly" in wanted) return { wanted: `${wanted.exactly}`, good: value === wanted.exactly };
  if ("atMost" in wanted) return { wanted: `at most ${wanted.atMost}`, good: value <= wanted.atMost };
  return { wanted: `at least ${wanted.atLeast}`, good: value >= wanted.atLeast };
}

const rounded = (value: number) => Number(value.toPrecision(value >= 1_000 ? 6 : 3));

/** Collects the figures of one benchmark, and reports its progress. */
export function createReport(benchmark: string, figures: Figure[]) {
  return {
    progress(line: string): void {
      const text = `${benchmark}: ${line}`;
      process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
    },
    figure(what: string, value: number, unit: string): void {
      figures.push({ benchmark, what, value: rounded(value), unit });
    },
    count(what: string, value: number, wanted: Wanted, unit = ""): void {
      figures.push({ benchmark, what, value: rounded(value), unit, ...judge(value, wanted) });
    },
    /** Median and 99th percentile, in milliseconds. */
    times(what: string, times: Times): void {
      for (const [name, percent] of [
        ["p50", 50],
        ["p99", 99],
      ] as const)
        figures.push({
          benchmark,
          what: `${what}, ${name}`,
          value: rounded(times.percentile(percent)),
          unit: "ms",
        });
    },
  };
}

export type Report = ReturnType<typeof createReport>;

/** Durations in milliseconds, to the microsecond. */
export class Times {
  readonly #histogram: RecordableHistogram = createHistogram();

  add(milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * 1_000)));
  }

  async measure<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.add(performance.now() - started);
    return result;
  }

  get count(): number {
    return this.#histogram.count;
  }

  percentile(percent: number): number {
    return this.#histogram.percentile(percent) / 1_000;
  }
}

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 3 });

/** All figures, for people. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ benchmark, what, value, unit, wanted, good }) => [
    benchmark,
    what,
    `${number.format(value)} ${unit}`.trim(),
    wanted === undefined ? "" : `${good ? "as wanted" : "NOT"}: ${wanted}`,
  ]);
  const all = [["benchmark", "what", "figure", "count"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Writes all results to a file, as JSON. */
export function write(results: object, file: string): void {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}
