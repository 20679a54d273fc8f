import { writeFloat } from "./float.ts";
import { parseInterval } from "./interval.ts";
import { type Json, RawJson } from "./json.ts";
import { parseLexemes } from "./lexemes.ts";
import { parseArray, type Text, type TextArray } from "./literal.ts";
import { normalizeJson } from "./normalize-json.ts";
import { castDate, castTime, castTimestamp, type From } from "./time.ts";
import type { Type } from "./types.ts";

export type CastOptions = {
  from: From;
  timestamps: "iso8601" | "unix_microsecond";
  /** The column's type modifier, -1 for none: the number of fractional digits of a timestamp. */
  modifier: number;
};

type Caster = (text: string, options: CastOptions) => Json;

const asText: Caster = (text) => text;
const number: Caster = (text) => new RawJson(text);
const float: Caster = (text, { from }) => {
  const value = Number(text);
  if (Number.isFinite(value)) return new RawJson(writeFloat(value));
  return from === "read" ? text.replace("Infinity", "inf") : text;
};
/** The table reader receives the four bytes, whose value as a double has more digits. */
const widened: Caster = (text, options) => {
  const value = Math.fround(Number(text));
  return Number.isFinite(value) ? new RawJson(writeFloat(value)) : float(text, options);
};
const json: Caster = (text) => new RawJson(normalizeJson(text));
const time: Caster = (text, { from, modifier }) => castTime(text, from, modifier);
const vector: Caster = (text) =>
  text
    .slice(1, -1)
    .split(",")
    .map((item) => new RawJson(writeFloat(Number(item))));

const CASTERS: Record<string, Caster> = {
  int2: number,
  int4: number,
  int8: number,
  oid: number,
  float4: float,
  float8: float,
  bool: (text) => text === "t",
  json,
  jsonb: json,
  time,
  timetz: time,
  timestamp: castTimestamp,
  timestamptz: castTimestamp,
  vector,
  interval: (text) => parseInterval(text),
};

/** What Sequin's table reader selects and can encode (lib/sequin/postgres/postgres.ex); all other types are null. */
const READ_CASTERS: Record<string, Caster> = {
  ...CASTERS,
  float4: widened,
  date: (text, { from }) => castDate(text, from),
  tsvector: parseLexemes,
  hstore: (text) => {
    const pairs = text.matchAll(/"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")/g);
    const plain = (quoted: string) => quoted.replace(/\\(.)/g, "$1");
    return Object.fromEntries(
      [...pairs].map(([, key = "", value]) => [plain(key), value === undefined ? null : plain(value)]),
    );
  },
  ...Object.fromEntries(
    ["text", "varchar", "name", "citext", "uuid", "numeric", "bytea", "daterange"].map((name) => [
      name,
      asText,
    ]),
  ),
};

/**
 * A value's JSON as Sequin sends it. In a change, a type without a rule stays Postgres' text
 * (lib/sequin/postgres/value_caster.ex).
 */
export function cast(type: Type, text: Text, options: CastOptions): Json {
  if (text === null) return null;
  const array = type.name.startsWith("_") && text.endsWith("}");
  const caster = casterOf(array ? type.name.slice(1) : type.name, type, options);
  if (caster === null) return null;
  return array ? castArray(caster, parseArray(text, type.delimiter), options) : caster(text, options);
}

function casterOf(name: string, type: Type, { from }: CastOptions): Caster | null {
  if (from === "stream") return CASTERS[name] ?? asText;
  return READ_CASTERS[name] ?? (type.anyEncoder ? asText : null);
}

function castArray(caster: Caster, items: TextArray, options: CastOptions): Json[] {
  return items.map((item) => {
    if (Array.isArray(item)) return castArray(caster, item, options);
    // Sequin's array lexer forgets that an element was quoted.
    if (item === null || (item === "NULL" && options.from === "stream")) return null;
    return caster(item, options);
  });
}
