/** @jsxImportSource hono/jsx */

const TEXTS = {
  canceled: "Asked to cancel. A run that executes ends when its process has stopped.",
  redelivering: "On its way again.",
  backfilling: "The backfill has begun: each row of the table is sent as a read message.",
  retrying: "Every waiting message is tried again now.",
} as const;

export type NoticeName = keyof typeof TEXTS;

const isNotice = (name: string | undefined): name is NoticeName =>
  name !== undefined && Object.hasOwn(TEXTS, name);

/** Says what the last button did, by the name that the redirect after it carries. */
export function Notice({ name }: { name: string | undefined }) {
  if (!isNotice(name)) return null;
  return (
    <p class="notice" role="status">
      {TEXTS[name]}
    </p>
  );
}
