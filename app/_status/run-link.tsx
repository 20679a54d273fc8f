/** A run's id, short, linked to the run in Trigger.dev. */
export function RunLink({ run }: { run: { id: string; url: string | undefined } | undefined }) {
  if (!run) return <span className="quiet">–</span>;
  const short = run.id.replace(/^run_/, "").slice(-8);
  if (!run.url) return <code title={run.id}>{short}</code>;
  return (
    <a href={run.url} title={run.id}>
      <span className="visually-hidden">Run </span>
      <code>{short}</code>
    </a>
  );
}
