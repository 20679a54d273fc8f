/** @jsxImportSource hono/jsx */

import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { z } from "zod";
import type { RunPage } from "../run-console.ts";
import { RunTable } from "./run-table.tsx";
import { isStatus, STATUSES, statusText } from "./status.tsx";

const text = z.string().trim().min(1).optional().catch(undefined);

/** What the address of the list asks for; what cannot be read is left out. */
export const RunFilter = z.object({
  task: text,
  status: z.string().refine(isStatus).optional().catch(undefined),
  tag: text,
  after: text,
  before: text,
});
export type RunFilter = z.output<typeof RunFilter>;

export function toQuery({ task, status, tag, after, before }: RunFilter) {
  return {
    "page[size]": 50,
    "filter[taskIdentifier]": task,
    "filter[status]": status,
    "filter[tag]": tag,
    "page[after]": after,
    "page[before]": before,
  };
}

function isFiltered({ task, status, tag }: RunFilter): boolean {
  return [task, status, tag].some((value) => value !== undefined);
}

type Props = { page: RunPage; filter: RunFilter; tasks: string[] };

export function RunList({ page, filter, tasks }: Props) {
  return (
    <>
      <h1>Runs</h1>
      <Filters filter={filter} tasks={tasks} />
      <section class="panel" aria-label="Runs">
        {page.data.length > 0 ? (
          <RunTable runs={page.data} caption="Runs, newest first" />
        ) : isFiltered(filter) ? (
          <Empty>No run matches.</Empty>
        ) : (
          <Empty>
            No run yet. A change in the database, or tasks.trigger() in your code, makes the first.
          </Empty>
        )}
      </section>
      <Pages page={page} filter={filter} />
    </>
  );
}

function Filters({ filter, tasks }: Pick<Props, "filter" | "tasks">) {
  const shown = filter.task && !tasks.includes(filter.task) ? [filter.task, ...tasks] : tasks;
  return (
    <search aria-label="Filter runs">
      <form method="get" action="/runs" class="filters">
        <label>
          Task
          <select name="task">
            <option value="">All tasks</option>
            {shown.map((task) => (
              <option value={task} selected={task === filter.task}>
                {task}
              </option>
            ))}
          </select>
        </label>
        <label>
          Status
          <select name="status">
            <option value="">Any status</option>
            {STATUSES.map((status) => (
              <option value={status} selected={status === filter.status}>
                {statusText(status)}
              </option>
            ))}
          </select>
        </label>
        <label>
          Tag
          <input name="tag" value={filter.tag} placeholder="post:1" autocomplete="off" spellcheck={false} />
        </label>
        <button type="submit" class="quiet">
          Filter
        </button>
        {isFiltered(filter) && <a href="/runs">Clear</a>}
      </form>
    </search>
  );
}

function Pages({ page, filter }: Pick<Props, "page" | "filter">) {
  const { next, previous } = page.pagination;
  const { after: _after, before: _before, ...kept } = filter;
  const path = (cursor: Record<string, string>) =>
    `/runs?${new URLSearchParams(Object.entries({ ...kept, ...cursor }).filter(([, value]) => value !== undefined))}`;
  if (!next && !previous) return null;
  return (
    <nav class="pages" aria-label="Pages of runs">
      {previous ? <a href={path({ before: previous })}>← Newer</a> : <span />}
      {next ? <a href={path({ after: next })}>Older →</a> : <span />}
    </nav>
  );
}
