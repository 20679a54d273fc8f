/** @jsxImportSource hono/jsx */

import { CodeBlock } from "@aftercommit/local-shared/elements/code-block.tsx";
import { Facts } from "@aftercommit/local-shared/elements/facts.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import type { RunDetails } from "../run-console.ts";
import { runPath, Tags } from "./run-table.tsx";

/** Every one-line property of a run. */
export function RunFacts({ details: { run, more, waitsFor } }: { details: RunDetails }) {
  const { parent, root } = run.relatedRuns;
  const { tags = [], metadata } = run;
  return (
    <aside class="panel" aria-label="Details" data-key="facts">
      <Facts
        rows={[
          [
            "Waits for",
            waitsFor.length > 0 && waitsFor.map((waitpoint) => <Waitpoint waitpoint={waitpoint} />),
          ],
          ["Tags", tags.length > 0 && <Tags tags={tags} />],
          ["Version", run.version],
          ["Queue", more.concurrencyKey ? `${more.queue} · ${more.concurrencyKey}` : more.queue],
          ["Limits", more.gates.join(", ")],
          ["Created", <Time at={run.createdAt} whole />],
          ["Delayed until", run.delayedUntil && <Time at={run.delayedUntil} whole />],
          ["Started", run.startedAt && <Time at={run.startedAt} whole />],
          ["Finished", run.finishedAt && <Time at={run.finishedAt} whole />],
          ["Expired", run.expiredAt && <Time at={run.expiredAt} whole />],
          ["Time to live", run.ttl],
          [
            "Attempts",
            more.maxAttempts ? `${run.attemptCount} of ${more.maxAttempts}` : String(run.attemptCount),
          ],
          ["Maximum duration", more.maxDuration && `${more.maxDuration} s`],
          ["Machine", more.machine],
          ["Idempotency key", run.idempotencyKey && <span class="mono">{run.idempotencyKey}</span>],
          ["Batch", run.batchId && <span class="mono">{run.batchId}</span>],
          ["Schedule", run.schedule?.generator.expression],
          ["Parent", parent && <RunLink id={parent.id} task={parent.taskIdentifier} />],
          ["Root", root && root.id !== parent?.id && <RunLink id={root.id} task={root.taskIdentifier} />],
          ["Replay of", more.replayOf && <RunLink id={more.replayOf} task={more.replayOf} />],
        ]}
      />
      {metadata && Object.keys(metadata).length > 0 && (
        <>
          <h2 class="aside-title">Metadata</h2>
          <CodeBlock label="Metadata" text={JSON.stringify(metadata, null, 2)} />
        </>
      )}
    </aside>
  );
}

function RunLink({ id, task }: { id: string; task: string }) {
  return (
    <a href={runPath(id)} title={id}>
      {task}
    </a>
  );
}

function Waitpoint({ waitpoint }: { waitpoint: RunDetails["waitsFor"][number] }) {
  const { type, dueAt, childRunId } = waitpoint;
  if (childRunId) return <RunLink id={`run_${childRunId}`} task="a child run" />;
  if (type === "DATETIME" && dueAt !== undefined) return <Time at={dueAt} whole />;
  return <span>{type === "BATCH" ? "a batch" : type === "MANUAL" ? "a token" : "a run"}</span>;
}
