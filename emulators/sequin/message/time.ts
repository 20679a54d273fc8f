import { type Json, RawJson } from "./json.ts";

/** How Sequin prints a value: of a captured change, or of a row that its table reader (Postgrex) read. */
export type From = "stream" | "read";

/** The type's own number of fractional digits; six if none is declared. */
const precision = (modifier: number) => (modifier >= 0 ? modifier : 6);

function withFraction(clock: string, fraction: string, digits: number): string {
  return digits === 0 ? clock : `${clock}.${fraction.padEnd(6, "0").slice(0, digits)}`;
}

/** A change's time loses its fraction; a read keeps its type's. Zones are dropped, or turned into UTC. */
export function castTime(text: string, from: From, modifier: number): string {
  const [
    ,
    hours,
    minutes,
    seconds,
    fraction = "",
    sign,
    zoneHours = "0",
    zoneMinutes = "0",
    zoneSeconds = "0",
  ] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?$/.exec(text) ?? [];
  if (!hours) return text;
  if (from === "stream") return `${hours}:${minutes}:${seconds}`;
  const zone = Number(zoneHours) * 3600 + Number(zoneMinutes) * 60 + Number(zoneSeconds);
  const east = sign === "-" ? -zone : zone;
  const local = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const utc = (((local - east) % 86_400) + 86_400) % 86_400;
  const clock = [utc / 3600, (utc / 60) % 60, utc % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0"),
  );
  return withFraction(clock.join(":"), fraction, precision(modifier));
}

/** Years before Christ as ISO 8601 counts them: 1 BC is the year 0. */
function isoYear(year: string, era: string | undefined): string {
  if (era === undefined) return year;
  const before = Number(year) - 1;
  return `${before === 0 ? "" : "-"}${String(before).padStart(4, "0")}`;
}

/** In a change, anything but a plain four-digit year stays Postgres' text. */
export function castTimestamp(
  text: string,
  {
    from,
    timestamps,
    modifier,
  }: { from: From; timestamps: "iso8601" | "unix_microsecond"; modifier: number },
): Json {
  const [, year, day, clock, fraction = "", zone, era] =
    /^(\d{4,})(-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(\+00)?( BC)?$/.exec(text) ?? [];
  if (!year) return from === "read" ? text.replace("infinity", "inf") : text;
  if (from === "stream" && (era || year.length > 4)) return text;
  const date = `${isoYear(year, era)}${day}`;
  if (timestamps === "unix_microsecond" && !era && year.length === 4) {
    const micros = BigInt(fraction.padEnd(6, "0"));
    return new RawJson(String(BigInt(Date.parse(`${date}T${clock}Z`)) * 1000n + micros));
  }
  const digits = from === "stream" ? 6 : precision(modifier);
  return `${date}T${withFraction(clock ?? "", fraction, digits)}${zone ? "Z" : ""}`;
}

/** Postgrex has no infinite date: it uses the first and the last number of days. */
const ENDS: Record<string, string> = { infinity: "5881610-07-11", "-infinity": "-5877611-06-22" };

export function castDate(text: string, from: From): string {
  if (from === "stream") return text;
  const [, year, day, era] = /^(\d{4,})(-\d\d-\d\d)( BC)?$/.exec(text) ?? [];
  return year ? `${isoYear(year, era)}${day}` : (ENDS[text] ?? text);
}
