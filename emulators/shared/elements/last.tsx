/** @jsxImportSource hono/jsx */
import { Time } from "./time.tsx";

/** When the newest of something was; nothing where there is none. */
export function Last({ at }: { at: string | undefined }) {
  return at === undefined ? null : (
    <p class="muted">
      last <Time at={at} />
    </p>
  );
}
