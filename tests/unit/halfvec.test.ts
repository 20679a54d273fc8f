import { expect, it } from "vitest";
import { halfvec } from "../../drizzle/halfvec.ts";

// 2 ** exponent, in half precision: https://en.wikipedia.org/wiki/Half-precision_floating-point_format
it.each([
  ["zero", 0, 0x0000],
  ["minus zero", -0, 0x8000],
  ["one", 1, 0x3c00],
  ["minus two", -2, 0xc000],
  ["the largest number", 65_504, 0x7bff],
  ["what rounds down to the largest", 65_519, 0x7bff],
  ["what is too large", 65_520, 0x7c00],
  ["the smallest normal number", 2 ** -14, 0x0400],
  ["the largest subnormal number", 2 ** -14 - 2 ** -24, 0x03ff],
  ["what rounds up to a normal number", 2 ** -14 - 2 ** -26, 0x0400],
  ["the smallest number", 2 ** -24, 0x0001],
  ["half of the smallest, a tie", 2 ** -25, 0x0000],
  ["a little more than half of the smallest", 2 ** -25 * 1.001, 0x0001],
  ["one and a half of the smallest, a tie", 1.5 * 2 ** -24, 0x0002],
  ["what is too small", 2 ** -26, 0x0000],
  ["a number that is subnormal in single precision", 1e-40, 0x0000],
  ["a tie to the even below", 1 + 2 ** -11, 0x3c00],
  ["a tie to the even above", 1 + 3 * 2 ** -11, 0x3c02],
  ["a little more than a tie", 1 + 2 ** -11 + 2 ** -20, 0x3c01],
  ["a carry into the exponent", 2 - 2 ** -12, 0x4000],
])("%s is rounded to the nearest half", (_, number, bits) => {
  const buffer = halfvec(Float32Array.of(number));
  expect(buffer.readUInt16BE(4).toString(16)).toBe(bits.toString(16));
});

it("begins with its dimensions", () => {
  expect(halfvec(new Float32Array(1_536)).subarray(0, 4)).toEqual(Buffer.from([6, 0, 0, 0]));
});
