/** @jsxImportSource hono/jsx */
import type { ShownError } from "../../trigger/run-console.ts";
import { CodeBlock } from "../elements/code-block.tsx";

export function RunError({ error }: { error: ShownError }) {
  const headline = [error.name, error.message].filter(Boolean).join(": ");
  return (
    <>
      <p class="error">{headline}</p>
      {error.stackTrace && <CodeBlock label="Stack trace" text={error.stackTrace} />}
    </>
  );
}
