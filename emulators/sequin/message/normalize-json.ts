import { writeFloat } from "./float.ts";

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?([eE][+-]?\d+)?|\s+/g;

/** JSON as it leaves Sequin after decoding: no white space, and floats such as `2.50` in their shortest form. */
export function normalizeJson(text: string): string {
  return text.replace(TOKEN, (token, fraction, exponent) => {
    if (token.startsWith('"')) return token;
    if (fraction === undefined && exponent === undefined) return token.trim();
    const value = Number(token);
    return Number.isFinite(value) ? writeFloat(value) : token;
  });
}
