/** @jsxImportSource hono/jsx */
import type { Child, PropsWithChildren } from "hono/jsx";

type Props = PropsWithChildren<{ caption: string; columns: readonly [name: Child, classes?: string][] }>;

/** A table with a caption for screen readers; the rows are its children. */
export function Table({ caption, columns, children }: Props) {
  return (
    <table>
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map(([name, classes]) => (
            <th scope="col" class={classes}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}
