import type { Counts, Status } from "../../lib/status/read-status.ts";
import { CountList } from "./count-list.tsx";
import { DeletionTable } from "./deletion-table.tsx";
import { exactly } from "./format.ts";
import { PostTable } from "./post-table.tsx";
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
  if (failed > 0) return "failed";
  return pending + stale > 0 ? "pending" : "embedded";
}

export function StatusReport({ status }: { status: Status }) {
  const { counts, lag, usage, posts, deletions, runsAreKnown, model } = status;
  return (
    <>
      <div aria-live="polite">
        <h1 className="headline" data-tone={tone(counts)}>
          {headline(counts)}
        </h1>
      </div>
      {!runsAreKnown && (
        <p className="notice" role="alert">
          Trigger.dev does not answer: runs are not shown, and failed posts count as pending or stale.
        </p>
      )}
      <CountList counts={counts} lag={lag} />
      <UsageCharts usage={usage} model={model} />
      <PostTable posts={posts} />
      <DeletionTable deletions={deletions} />
    </>
  );
}

export function StatusUnknown() {
  return (
    <>
      <h1 className="headline" data-tone="failed">
        The status is not known
      </h1>
      <p className="notice" role="alert">
        The database does not answer. The server's log says why.
      </p>
    </>
  );
}
