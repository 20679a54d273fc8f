/** @jsxImportSource hono/jsx */

import { CodeBlock } from "@aftercommit/local-shared/elements/code-block.tsx";
import type { ShownError } from "../run-console.ts";

export function RunError({ error }: { error: ShownError }) {
  const headline = [error.name, error.message].filter(Boolean).join(": ");
  return (
    <>
      <p class="error">{headline}</p>
      {error.stackTrace && <CodeBlock label="Stack trace" text={error.stackTrace} />}
    </>
  );
}
