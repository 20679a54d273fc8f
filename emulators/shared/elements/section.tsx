/** @jsxImportSource hono/jsx */
import type { PropsWithChildren } from "hono/jsx";

export function Section({ id, title, children }: PropsWithChildren<{ id: string; title: string }>) {
  return (
    <section class="panel" aria-labelledby={id} data-key={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

export function Empty({ children }: PropsWithChildren) {
  return <p class="empty">{children}</p>;
}
