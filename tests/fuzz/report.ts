type Kind = { requests: number; statuses: Map<number, number>; slowestMs: number };

const EVERY = 1_000;

/** Collects the results of a seed's requests. */
export function createReport(seed: number) {
  const kinds = new Map<string, Kind>();
  const startedAt = performance.now();
  let problems = 0;

  return {
    answered(kind: string, status: number, ms: number) {
      const known = kinds.get(kind) ?? { requests: 0, statuses: new Map(), slowestMs: 0 };
      known.requests += 1;
      known.statuses.set(status, (known.statuses.get(status) ?? 0) + 1);
      known.slowestMs = Math.max(known.slowestMs, ms);
      kinds.set(kind, known);
    },
    problem(n: number, kind: string, what: string) {
      problems += 1;
      console.error(`\nRequest ${n} (${kind}): ${what}\n  again: npm run fuzz -- --seed ${seed} --only ${n}`);
    },
    /** A problem that no single request shows. */
    whole(what: string) {
      problems += 1;
      console.error(`\nSEED=${seed}: ${what}`);
    },
    problems: () => problems,
    progress(n: number, end: number) {
      if (n > 0 && n % EVERY === 0) console.log(`${n} of ${end}`);
    },
    print({ rows, runs, peakBytes }: { rows: number; runs: number; peakBytes: number }) {
      const seconds = (performance.now() - startedAt) / 1_000;
      for (const [kind, { requests, statuses, slowestMs }] of [...kinds].toSorted()) {
        const counts = [...statuses].toSorted(([a], [b]) => a - b);
        const shown = counts.map(([status, count]) => `${status || "closed"} ${count}`).join(", ");
        console.log(
          `${kind.padEnd(26)} ${String(requests).padStart(7)}  slowest ${Math.round(slowestMs)} ms  ${shown}`,
        );
      }
      const all = [...kinds.values()].reduce((sum, { requests }) => sum + requests, 0);
      console.log(
        `\nSEED=${seed}: ${all} requests in ${seconds.toFixed(0)} s, ${rows} rows accepted, ${runs} runs, peak memory ${Math.round(peakBytes / 1e6)} MB, ${problems} problems`,
      );
    },
  };
}
