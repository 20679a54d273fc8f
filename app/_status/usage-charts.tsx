import type { DayOfUsage } from "../../lib/status/read-status.ts";
import { exactly, roughly } from "./format.ts";

const HEIGHT = 48;

const dayName = (day: string) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en-US", {
    month: "short",
    day: "numeric",
    timeZone: "UTC",
  });

type Measure = { name: string; of: (day: DayOfUsage) => number };

const MEASURES: Measure[] = [
  { name: "Tokens", of: (day) => day.tokens },
  { name: "Provider calls", of: (day) => day.calls },
];

function Bars({ usage, name, of }: Measure & { usage: DayOfUsage[] }) {
  const values = usage.map(of);
  const most = Math.max(1, ...values);
  const total = values.reduce((sum, value) => sum + value, 0);
  const today = values.at(-1) ?? 0;
  const first = usage[0]?.day;
  return (
    <figure>
      <figcaption>
        {name} <strong>{roughly(today)}</strong> <span className="muted">today</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${usage.length * 10} ${HEIGHT}`}
        height={HEIGHT}
        width="100%"
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name} a day: ${exactly(today)} today, ${exactly(total)} in ${usage.length} days, ${exactly(most)} at most.`}
      >
        {values.map((value, index) => {
          const height = value === 0 ? 1 : Math.max(2, (value / most) * HEIGHT);
          return (
            <rect
              key={usage[index]?.day}
              className={value === 0 ? "none" : undefined}
              x={index * 10 + 1}
              y={HEIGHT - height}
              width="8"
              height={height}
            />
          );
        })}
      </svg>
      <p className="axis note" aria-hidden="true">
        <span>{first && dayName(first)}</span>
        <span>
          {roughly(total)} in {usage.length} days
        </span>
        <span>today</span>
      </p>
    </figure>
  );
}

/** What the embedding provider was asked for each day, in UTC. */
export function UsageCharts({ usage, model }: { usage: DayOfUsage[]; model: string | undefined }) {
  const used = usage.filter(({ calls }) => calls > 0);
  return (
    <section className="panel" aria-labelledby="usage">
      <h2 id="usage">
        Usage <span className="note">{model}</span>
      </h2>
      <div className="charts">
        {MEASURES.map((measure) => (
          <Bars key={measure.name} usage={usage} {...measure} />
        ))}
      </div>
      {used.length > 0 && (
        <details>
          <summary>Usage as a table</summary>
          <table>
            <caption className="visually-hidden">Tokens and provider calls by day, in UTC</caption>
            <thead>
              <tr>
                <th scope="col">Day</th>
                <th scope="col" className="number">
                  Tokens
                </th>
                <th scope="col" className="number">
                  Calls
                </th>
              </tr>
            </thead>
            <tbody>
              {used.toReversed().map(({ day, tokens, calls }) => (
                <tr key={day}>
                  <th scope="row">{dayName(day)}</th>
                  <td className="number">{exactly(tokens)}</td>
                  <td className="number">{exactly(calls)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}
