import * as z from "zod";

// Float32Array would turn null into 0.
const numbersOf = (list: readonly unknown[]) =>
  Float32Array.from(list, (item) => (typeof item === "number" ? item : Number.NaN));

/** A vector as a list of numbers. A value that is not a number becomes NaN, which fails only its text. */
export const numberList = z.custom<unknown[]>(Array.isArray, "a vector is no list").transform(numbersOf);

/** A vector as the base64 of 32-bit floats, little-endian: a quarter of the bytes, and no numbers to parse. */
export const base64Floats = z.string().transform((base64) => {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / 4));
});
