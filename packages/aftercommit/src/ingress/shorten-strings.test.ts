import { expect, it } from "vitest";
import { chanceOf, seed } from "@/tests/helpers/seed.ts";
import { shortenStrings } from "./shorten-strings.ts";

const LONGEST = 4_096;
const PIECES = ["a", '"', "\\", '\\\\"', "\n", "\u0001", "é", "語", "🦔", '","id":1', "\ud800"];

/** Any JSON value with strings of any length around the limit. */
function jsonOf(chance: () => number, depth = 0): unknown {
  const below = (n: number) => Math.floor(chance() * n);
  const text = () =>
    Array.from({ length: below(4) ? below(20) : below(3_000) }, () => PIECES[below(PIECES.length)]).join("");
  const kind = below(depth < 3 ? 5 : 3);
  if (kind === 0) return text();
  if (kind === 1) return below(1_000) / 8;
  if (kind === 2) return "x".repeat(LONGEST - 3 + below(6)) + text();
  const items = Array.from({ length: below(5) }, () => jsonOf(chance, depth + 1));
  return kind === 3
    ? items
    : Object.fromEntries(items.map((item, index) => [`${index}${text()}`.slice(0, 40), item]));
}

function inChunks(json: Buffer, chance: () => number): string {
  const shorten = shortenStrings();
  const kept: Uint8Array[] = [];
  for (let at = 0; at < json.length; ) {
    const end = at + 1 + Math.floor(chance() * 2_000);
    kept.push(shorten(json.subarray(at, end)));
    at = end;
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(kept));
}

/** A value as it may be shortened: `full` with each string at most as long as it was. */
function expectShortened(short: unknown, full: unknown): void {
  if (typeof full === "string" && typeof short === "string") {
    expect(full.startsWith(short)).toBe(true);
    const bytes = Buffer.byteLength(JSON.stringify(full)) - 2;
    if (bytes <= LONGEST) expect(short).toBe(full);
    else expect(Buffer.byteLength(JSON.stringify(short)) - 2).toBeGreaterThanOrEqual(LONGEST);
    expect(Buffer.byteLength(JSON.stringify(short)) - 2).toBeLessThan(LONGEST + 6);
  } else if (typeof full === "object" && full !== null && typeof short === "object" && short !== null) {
    expect(Object.keys(short)).toEqual(Object.keys(full));
    for (const [key, value] of Object.entries(full)) expectShortened(Reflect.get(short, key), value);
  } else expect(short).toBe(full);
}

it(`what is JSON stays JSON, and only long strings lose their ends (SEED=${seed})`, () => {
  const chance = chanceOf(seed);
  for (let n = 0; n < 200; n += 1) {
    const value = JSON.parse(JSON.stringify(jsonOf(chance)));
    expectShortened(JSON.parse(inChunks(Buffer.from(JSON.stringify(value)), chance)), value);
  }
});
