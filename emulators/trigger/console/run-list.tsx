/** @jsxImportSource hono/jsx */

import { Choice, Filters } from "@aftercommit/local-shared/elements/filters.tsx";
import { listPath, PageLinks } from "@aftercommit/local-shared/elements/page-links.tsx";
import { Empty } from "@aftercommit/local-shared/elements/section.tsx";
import { z } from "zod";
import type { RunPage } from "../run-console.ts";
import { RunTable } from "./run-table.tsx";
import { isStatus, STATUSES, statusText } from "./status.tsx";

const text = z.string().trim().min(1).optional().catch(undefined);

/** The query of the list. Invalid parameters are ignored. */
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
      <RunFilters filter={filter} tasks={tasks} />
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

function RunFilters({ filter, tasks }: Pick<Props, "filter" | "tasks">) {
  const shown = filter.task && !tasks.includes(filter.task) ? [filter.task, ...tasks] : tasks;
  return (
    <Filters path="/runs" of="runs" isSet={isFiltered(filter)}>
      <Choice label="Task" name="task" any="All tasks" values={shown} chosen={filter.task} />
      <Choice
        label="Status"
        name="status"
        any="Any status"
        values={STATUSES}
        text={statusText}
        chosen={filter.status}
      />
      <label>
        Tag
        <input name="tag" value={filter.tag} placeholder="post:1" autocomplete="off" spellcheck={false} />
      </label>
    </Filters>
  );
}

function Pages({ page, filter: { task, status, tag } }: Pick<Props, "page" | "filter">) {
  const { next, previous } = page.pagination;
  const path = (cursor: { after?: string; before?: string }) =>
    listPath("/runs", { task, status, tag, ...cursor });
  return (
    <PageLinks
      of="runs"
      newer={previous ? { text: "Newer", href: path({ before: previous }) } : undefined}
      older={next ? path({ after: next }) : undefined}
    />
  );
}
