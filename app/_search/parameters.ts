const FILTER = /^where\[[^\]]+\]$/;
const COMPARISON = /^(>=|<=|>|<)\s*(.+)$/;
const RANGE = /^(.+?)\s*\.\.\s*(.+)$/;
const OPERATORS: Readonly<Record<string, string>> = { ">=": "gte", "<=": "lte", ">": "gt", "<": "lt" };

function conditionsOf(name: string, value: string): [string, string][] {
  const [, symbol = "", operand = ""] = COMPARISON.exec(value) ?? [];
  const operator = OPERATORS[symbol];
  if (operator !== undefined) return [[`${name}[${operator}]`, operand]];
  const [isRange, from = "", to = ""] = RANGE.exec(value) ?? [];
  if (isRange === undefined) return [[name, value]];
  return [
    [`${name}[gte]`, from],
    [`${name}[lte]`, to],
  ];
}

/**
 * The fields of the form as parameters of `GET /api/search`. Empty ones are left out. In a filter, `>= 5` is a
 * comparison and `5 .. 7` a range.
 */
export function searchParameters(fields: Iterable<readonly [string, unknown]>): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, field] of fields) {
    const value = String(field).trim();
    if (value === "") continue;
    if (FILTER.test(name)) for (const condition of conditionsOf(name, value)) parameters.append(...condition);
    else parameters.append(name, value);
  }
  return parameters;
}
