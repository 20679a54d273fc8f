/** @jsxImportSource hono/jsx */
import type { PropsWithChildren } from "hono/jsx";

/** A form that filters the list at `path`. `isSet` adds a link back to the whole list. */
export function Filters({
  path,
  of,
  isSet,
  children,
}: PropsWithChildren<{ path: string; of: string; isSet: boolean }>) {
  return (
    <search aria-label={`Filter ${of}`}>
      <form method="get" action={path} class="filters">
        {children}
        <button type="submit" class="quiet">
          Filter
        </button>
        {isSet && <a href={path}>Clear</a>}
      </form>
    </search>
  );
}

type Choice = { label: string; name: string; any: string; chosen: string | undefined };

export function Choice<T extends string>({
  label,
  name,
  any,
  chosen,
  values,
  text = (value) => value,
}: Choice & { values: readonly T[]; text?: (value: T) => string }) {
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">{any}</option>
        {values.map((value) => (
          <option value={value} selected={value === chosen}>
            {text(value)}
          </option>
        ))}
      </select>
    </label>
  );
}
