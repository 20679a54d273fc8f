/** @jsxImportSource hono/jsx */

/** Says what the last button did, by the name that the redirect carries. */
export function Notice({
  name,
  texts,
}: {
  name: string | undefined;
  texts: Readonly<Record<string, string>>;
}) {
  if (name === undefined || !Object.hasOwn(texts, name)) return null;
  return (
    <p class="notice" data-tone="busy" role="status">
      {texts[name]}
    </p>
  );
}
