/** @jsxImportSource hono/jsx */

/** The URL of a list with its query; undefined parameters are left out. */
export function listPath(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return `${path}?${new URLSearchParams(given)}`;
}

type Link = { text: string; href: string };

/** Links to newer and older entries of a list; nothing if it has one page. */
export function PageLinks({ of, newer, older }: { of: string; newer?: Link; older?: string }) {
  if (!newer && older === undefined) return null;
  return (
    <nav class="pages" aria-label={`Pages of ${of}`}>
      {newer ? <a href={newer.href}>← {newer.text}</a> : <span />}
      {older === undefined ? <span /> : <a href={older}>Older →</a>}
    </nav>
  );
}
