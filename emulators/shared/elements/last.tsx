/** @jsxImportSource hono/jsx */
import { Time } from "./time.tsx";

/** The time of the newest of something; nothing if there is none. */
export function Last({ at }: { at: string | undefined }) {
  return at === undefined ? null : (
    <p class="muted">
      last <Time at={at} />
    </p>
  );
}
