/** @jsxImportSource hono/jsx */

/** The tone of a state. The color only repeats what the text says. */
export type Tone = "good" | "bad" | "busy" | "waiting" | "still";

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}

/** An HTTP status, or a sign for a response that never came. */
export function HttpStatus({ status }: { status: number | null }) {
  if (status === null) return <Badge tone="bad">No answer</Badge>;
  return <Badge tone={status < 300 ? "good" : "bad"}>{String(status)}</Badge>;
}
