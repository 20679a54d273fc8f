/** @jsxImportSource hono/jsx */

import { Action } from "@aftercommit/local-shared/elements/action.tsx";
import { CodeBlock } from "@aftercommit/local-shared/elements/code-block.tsx";
import { Notice } from "@aftercommit/local-shared/elements/notice.tsx";
import { Section } from "@aftercommit/local-shared/elements/section.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { RunDetails } from "../run-console.ts";
import { Attempts } from "./attempts.tsx";
import { Logs } from "./logs.tsx";
import { RunError } from "./run-error.tsx";
import { RunFacts } from "./run-facts.tsx";
import { RunTable, runPath, wallTime } from "./run-table.tsx";
import { isOver, StatusBadge } from "./status.tsx";

const NOTICES = {
  canceled: "Asked to cancel. A run that executes ends when its process has stopped.",
};

export function RunView({ details, notice }: { details: RunDetails; notice: string | undefined }) {
  const { run, attempts, logs } = details;
  const children = run.relatedRuns.children ?? [];
  const took = wallTime(run);
  return (
    <>
      <div class="title">
        <div>
          <p class="crumb">
            <a href="/runs">Runs</a> / <span class="mono">{run.id}</span>
          </p>
          <h1>{run.taskIdentifier}</h1>
          <p class="summary">
            <span role="status">
              <StatusBadge status={run.status} />
            </span>
            <span>
              created <Time at={run.createdAt} />
            </span>
            {took && <span>{run.finishedAt ? `took ${took}` : `running for ${took}`}</span>}
          </p>
        </div>
        <div class="actions">
          <Action to={`${runPath(run.id)}/replay`} what="this run">
            Replay
          </Action>
          {!isOver(run.status) && (
            <Action to={`${runPath(run.id)}/cancel`} what="this run" quiet>
              Cancel
            </Action>
          )}
        </div>
      </div>
      <Notice name={notice} texts={NOTICES} />
      <div class="columns">
        <div>
          {run.error && (
            <Section id="error" title="Error">
              <RunError error={run.error} />
            </Section>
          )}
          <Data id="output" title="Output" value={run.output} url={run.outputPresignedUrl} />
          <Data id="payload" title="Payload" value={run.payload} url={run.payloadPresignedUrl} />
          <Attempts attempts={attempts} />
          {children.length > 0 && (
            <Section id="children" title="Child runs">
              <RunTable runs={children} caption="Runs that this run triggered" />
            </Section>
          )}
          <Logs logs={logs} from={run.startedAt ?? run.createdAt} />
        </div>
        <RunFacts details={details} />
      </div>
    </>
  );
}

type DataProps = { id: string; title: string; value: unknown; url: string | undefined };

function Data({ id, title, value, url }: DataProps) {
  if (value === undefined && !url) return null;
  return (
    <Section id={id} title={title}>
      {url ? (
        <p>
          Too large for the run's record. <a href={url}>Open it as a file</a>
        </p>
      ) : (
        <CodeBlock label={title} text={typeof value === "string" ? value : JSON.stringify(value, null, 2)} />
      )}
    </Section>
  );
}
