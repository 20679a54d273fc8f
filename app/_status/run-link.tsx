/** A short run id, linked to the run in Trigger.dev. */
export function RunLink({ run }: { run: { id: string; url: string | undefined } | undefined }) {
  if (!run) return <span className="muted">–</span>;
  const short = run.id.replace(/^run_/, "").slice(-8);
  if (!run.url) return <code title={run.id}>{short}</code>;
  return (
    <a className="run" href={run.url} title={run.id} aria-label={`Run ${short}`}>
      <code>{short}</code>
    </a>
  );
}
