/** @jsxImportSource hono/jsx */

/** A button that changes something. `what` tells screen readers what it acts on. */
export function Action({
  to,
  children,
  what,
  quiet,
}: {
  to: string;
  children: string;
  what?: string;
  quiet?: boolean;
}) {
  return (
    <form method="post" action={to} class="action">
      <button type="submit" class={quiet ? "quiet" : undefined}>
        {children}
        {what && <span class="visually-hidden"> {what}</span>}
      </button>
    </form>
  );
}
