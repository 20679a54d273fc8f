import { type Json, RawJson } from "./json.ts";

/** The value at a path transform such as `record.meta.kind`; null if there is none (path_function.ex). */
export function followPath(message: Json, path: string): Json {
  let value: Json = message;
  for (const key of path.split(".")) {
    const inside: Json = value instanceof RawJson ? JSON.parse(value.text) : value;
    if (inside === null || typeof inside !== "object" || Array.isArray(inside) || inside instanceof RawJson)
      return null;
    value = Object.hasOwn(inside, key) ? (inside[key] ?? null) : null;
  }
  return value;
}
