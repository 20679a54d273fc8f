import { writeFloat } from "./float.ts";
import { parseInterval } from "./interval.ts";
import { type Json, RawJson } from "./json.ts";
import { parseArray, type Text, type TextArray } from "./literal.ts";
import type { Type } from "./types.ts";

/** `stream` is a captured change; `read` is a backfilled row, which Sequin encodes by another path. */
export type CastOptions = { from: "stream" | "read"; timestamps: "iso8601" | "unix_microsecond" };

type Caster = (text: string, options: CastOptions) => Json;

const number: Caster = (text) => new RawJson(text);
const float: Caster = (text) => {
  const value = Number(text);
  return Number.isFinite(value) ? new RawJson(writeFloat(value)) : text;
};
const json: Caster = (text) => new RawJson(text);
const time: Caster = (text, { from }) => {
  const [, seconds, fraction = ""] = /^(\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(text) ?? [];
  if (!seconds) return text;
  return from === "stream" ? seconds : `${seconds}.${fraction.padEnd(6, "0")}`;
};
const timestamp: Caster = (text, { from, timestamps }) => {
  const [, date, clock, fraction = "", zone] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(\+00)?$/.exec(text) ?? [];
  if (!date) return from === "read" ? text.replace("infinity", "inf") : text;
  const micros = fraction.padEnd(6, "0");
  if (timestamps === "unix_microsecond") {
    return new RawJson(String(BigInt(Date.parse(`${date}T${clock}Z`)) * 1000n + BigInt(micros)));
  }
  return `${date}T${clock}.${micros}${zone ? "Z" : ""}`;
};
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
  timestamp,
  timestamptz: timestamp,
  vector,
  interval: (text) => parseInterval(text),
};

const absent: Caster = () => null;
const bits: Caster = (text) => {
  const bytes = text.match(/.{1,8}/g) ?? [];
  return `\\x${bytes.map((byte) => Number.parseInt(byte.padEnd(8, "0"), 2).toString(16).padStart(2, "0")).join("")}`;
};

/** The types that Sequin's table reader leaves out or prints in another way: lib/sequin/postgres/postgres.ex. */
const READ_CASTERS: Record<string, Caster> = {
  ...CASTERS,
  xml: absent,
  halfvec: absent,
  sparsevec: absent,
  inet: absent,
  cidr: absent,
  macaddr: absent,
  money: absent,
  bit: bits,
  varbit: bits,
  hstore: (text) => {
    const pairs = text.matchAll(/"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")/g);
    const plain = (quoted: string) => quoted.replace(/\\(.)/g, "$1");
    return Object.fromEntries(
      [...pairs].map(([, key = "", value]) => [plain(key), value === undefined ? null : plain(value)]),
    );
  },
};

/** A value's JSON as Sequin sends it; what it has no rule for stays Postgres' text (lib/sequin/postgres/value_caster.ex). */
export function cast(type: Type, text: Text, options: CastOptions): Json {
  if (text === null) return null;
  if (type.name.startsWith("_") && text.endsWith("}")) {
    return castArray(type.name.slice(1), parseArray(text, type.delimiter), options);
  }
  return castScalar(type.name, text, options);
}

function castArray(element: string, items: TextArray, options: CastOptions): Json[] {
  return items.map((item) =>
    Array.isArray(item)
      ? castArray(element, item, options)
      : item === null
        ? null
        : castScalar(element, item, options),
  );
}

function castScalar(name: string, text: string, options: CastOptions): Json {
  const caster = (options.from === "stream" ? CASTERS : READ_CASTERS)[name];
  return caster ? caster(text, options) : text;
}
