import type { ReactNode } from "react";
import type { Part } from "../../lib/status/part.ts";
import type { Counts, Status } from "../../lib/status/read-status.ts";
import { CountList } from "./count-list.tsx";
import { DeletionTable } from "./deletion-table.tsx";
import { exactly } from "./format.ts";
import { PostTable } from "./post-table.tsx";
import { UnprocessedTable } from "./unprocessed-table.tsx";
import { UsageCharts } from "./usage-charts.tsx";

function headline({ embedded, pending, stale, failed }: Counts): string {
  const all = embedded + pending + stale + failed;
  if (all === 0) return "There are no posts yet";
  if (failed > 0) return `${exactly(failed)} ${failed === 1 ? "post" : "posts"} could not be embedded`;
  const behind = pending + stale;
  if (behind > 0)
    return `${exactly(behind)} of ${exactly(all)} posts ${behind === 1 ? "waits" : "wait"} for an embedding`;
  return all === 1 ? "The one post is embedded" : `All ${exactly(all)} posts are embedded`;
}

function tone({ pending, stale, failed }: Counts): string {
  if (failed > 0) return "bad";
  return pending + stale > 0 ? "waiting" : "good";
}

function Problem({ children }: { children: ReactNode }) {
  return (
    <p className="notice" data-tone="bad" role="alert">
      {children}
    </p>
  );
}

type PartProps<T> = { name: string; part: Part<T>; children: (value: T) => ReactNode };

/** A part of the page, or that it is not known and why. */
function Known<T>({ name, part, children }: PartProps<T>) {
  if (part.known) return children(part.value);
  return (
    <Problem>
      {name} cannot be shown: {part.problem}. The server's log has more.
    </Problem>
  );
}

/** The one reason why nothing at all is known; undefined where something is. */
function commonProblem({ totals, posts, usage, deletions, unprocessed }: Status): string | undefined {
  const problems = [totals, posts, usage, deletions, unprocessed].map((part) =>
    part.known ? undefined : part.problem,
  );
  return problems.every((problem) => problem === problems[0]) ? problems[0] : undefined;
}

function StatusUnknown({ problem }: { problem: string }) {
  return (
    <>
      <h1 className="headline" data-tone="bad">
        The status is not known
      </h1>
      <Problem>Nothing can be shown: {problem}. The server's log has more.</Problem>
    </>
  );
}

export function StatusReport({ status }: { status: Status }) {
  const { totals, posts, usage, deletions, unprocessed } = status;
  const problem = commonProblem(status);
  if (problem) return <StatusUnknown problem={problem} />;
  return (
    <>
      <div aria-live="polite">
        <h1 className="headline" data-tone={totals.known ? tone(totals.value.counts) : "bad"}>
          {totals.known ? headline(totals.value.counts) : "How the posts stand is not known"}
        </h1>
      </div>
      <Known name="The counts" part={totals}>
        {({ counts, lag }) => <CountList counts={counts} lag={lag} />}
      </Known>
      <Known name="The usage" part={usage}>
        {(days) => <UsageCharts usage={days} model={totals.known ? totals.value.model : undefined} />}
      </Known>
      <Known name="The latest posts" part={posts}>
        {(shown) => (
          <>
            {shown.runsProblem && <Problem>Runs cannot be shown: {shown.runsProblem}.</Problem>}
            <PostTable posts={shown.posts} />
          </>
        )}
      </Known>
      <Known name="The latest deletions" part={deletions}>
        {(shown) => <DeletionTable deletions={shown} />}
      </Known>
      <Known name="The messages without a run" part={unprocessed}>
        {(messages) => <UnprocessedTable messages={messages} />}
      </Known>
    </>
  );
}
