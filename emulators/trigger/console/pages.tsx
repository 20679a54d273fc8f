/** @jsxImportSource hono/jsx */
import { absentPages } from "@aftercommit/local-shared/absent-pages.tsx";
import { Card, Figure } from "@aftercommit/local-shared/elements/card.tsx";
import { Empty, Section } from "@aftercommit/local-shared/elements/section.tsx";
import type { Pages, RealService } from "@aftercommit/local-shared/part.ts";
import type { RunConsole, RunSummary } from "../run-console.ts";
import { runRoutes } from "./routes.tsx";
import { RunTable } from "./run-table.tsx";
import { STATUSES, StatusBadge } from "./status.tsx";

const place = { path: "/runs", name: "Runs" };
const paths = ["/runs/*", "/projects/*"];

/** The runs, at short URLs and at those of Trigger.dev's dashboard, which the CLI, the SDK and apps link to. */
export function runPages(trigger: RunConsole): Pages {
  return {
    place,
    paths,
    routes: runRoutes(trigger),
    card: () => <Runs {...trigger.summarizeRuns()} />,
    latest: () => <Latest trigger={trigger} />,
  };
}

export const absentRunPages = (service?: RealService): Pages =>
  absentPages({
    place,
    paths,
    instead: "look at the runs where TRIGGER_API_URL points to.",
    service,
  });

function Runs({ byStatus, connected }: RunSummary) {
  const total = Object.values(byStatus).reduce((sum, count) => sum + count, 0);
  return (
    <Card name={place.name} href={place.path}>
      <Figure value={total} unit={total === 1 ? "run" : "runs"} />
      <p class="muted">{connected ? "trigger.dev dev is connected" : "trigger.dev dev is not connected"}</p>
    </Card>
  );
}

function Latest({ trigger }: { trigger: RunConsole }) {
  const { data } = trigger.listRuns({ "page[size]": 10 });
  return (
    <Section id="latest" title="Latest runs">
      <RunCounts byStatus={trigger.summarizeRuns().byStatus} />
      {data.length > 0 ? <RunTable runs={data} caption="The ten newest runs" /> : <Empty>No run yet.</Empty>}
    </Section>
  );
}

/** How many runs have each status, as links to them. */
function RunCounts({ byStatus }: Pick<RunSummary, "byStatus">) {
  const present = STATUSES.filter((status) => byStatus[status]);
  return (
    <ul class="tally">
      {present.map((status) => (
        <li>
          <a href={`/runs?status=${status}`}>
            <StatusBadge status={status} /> {byStatus[status]?.toLocaleString("en")}
          </a>
        </li>
      ))}
    </ul>
  );
}
