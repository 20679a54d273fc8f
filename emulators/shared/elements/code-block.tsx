/** @jsxImportSource hono/jsx */

const SHOWN = 100_000;

/** Text of a program. Long text is cut, because every refresh would load many megabytes again. */
export function CodeBlock({ label, text }: { label: string; text: string }) {
  const rest = text.length - SHOWN;
  return (
    <>
      <section class="code" tabindex={0} aria-label={label}>
        <pre>{rest > 0 ? text.slice(0, SHOWN) : text}</pre>
      </section>
      {rest > 0 && <p class="muted">{rest.toLocaleString("en")} more characters are not shown.</p>}
    </>
  );
}
