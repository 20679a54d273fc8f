/** @jsxImportSource hono/jsx */

import { Table } from "@aftercommit/local-shared/elements/table.tsx";
import { Time } from "@aftercommit/local-shared/elements/time.tsx";
import { formatDuration } from "@aftercommit/local-shared/format/duration.ts";
import type { RunPage } from "../run-console.ts";
import { isOver, StatusBadge } from "./status.tsx";

type Row = Pick<
  RunPage["data"][number],
  "id" | "taskIdentifier" | "status" | "tags" | "createdAt" | "startedAt" | "finishedAt"
>;

export function runPath(id: string): string {
  return `/runs/${encodeURIComponent(id)}`;
}

function tagPath(tag: string): string {
  return `/runs?${new URLSearchParams({ tag })}`;
}

/**
 * From the start to the end, or to now. Undefined for a run that has not started, or that is over without an end: one
 * that was canceled between two attempts.
 */
export function wallTime({
  status,
  startedAt,
  finishedAt,
}: Pick<Row, "status" | "startedAt" | "finishedAt">): string | undefined {
  if (!startedAt || (!finishedAt && isOver(status))) return undefined;
  const end = finishedAt ? new Date(finishedAt).getTime() : Date.now();
  return formatDuration(end - new Date(startedAt).getTime());
}

export function RunTable({ runs, caption }: { runs: Row[]; caption: string }) {
  return (
    <Table
      caption={caption}
      columns={[
        ["Task and run"],
        ["Status"],
        ["Tags", "roomy"],
        ["Took", "roomy number"],
        ["Created", "number"],
      ]}
    >
      {runs.map((run) => (
        <tr data-key={run.id}>
          <td>
            <a class="strong" href={runPath(run.id)}>
              {run.taskIdentifier}
            </a>
            <span class="id">{run.id}</span>
          </td>
          <td>
            <StatusBadge status={run.status} />
          </td>
          <td class="roomy">
            <Tags tags={run.tags ?? []} />
          </td>
          <td class="roomy number">{wallTime(run) ?? "–"}</td>
          <td class="number">
            <Time at={run.createdAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

export function Tags({ tags }: { tags: string[] }) {
  return (
    <>
      {tags.map((tag) => (
        <a class="tag" href={tagPath(tag)}>
          {tag}
        </a>
      ))}
    </>
  );
}
