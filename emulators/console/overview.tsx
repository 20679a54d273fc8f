/** @jsxImportSource hono/jsx */
import type { Pages } from "@aftercommit/local-shared/part.ts";

/** The first page: every part in a few words, and the newest items. */
export function Overview({ parts }: { parts: readonly Pages[] }) {
  return (
    <>
      <h1>Overview</h1>
      <div class="cards">{parts.map(({ card }) => card())}</div>
      {parts.map(({ latest }) => latest?.())}
    </>
  );
}
