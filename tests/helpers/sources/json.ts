import type { Row } from "./cases.ts";

/** JSON with bigints as sources write them: numbers with all digits, which JSON.stringify does not write. */
export const bodyOf = (value: unknown) => JSON.stringify(value).replaceAll(/"bigint:(-?\d+)"/g, "$1");

/** A row's values for {@link bodyOf}. */
export const valuesOf = (row: Row) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      column === "id" && /^-?\d+$/.test(value ?? "") ? `bigint:${value}` : value,
    ]),
  );
