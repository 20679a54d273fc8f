import { expect, it } from "vitest";
import { embedByHashing } from "../hashing.ts";
import { splitIntoPieces } from "../split-into-pieces.ts";
import { cosine, length } from "./cosine.ts";

const vector = (text: string) => Array.from(embedByHashing(text));

it("hashing gives a text the same 1,536 numbers of unit length every time", () => {
  expect(vector("The quick brown fox")).toEqual(vector("The quick brown fox"));
  expect(vector("The quick brown fox")).toHaveLength(1_536);
  expect(length(vector("The quick brown fox"))).toBeCloseTo(1, 5);
});

it("hashing puts texts that share words near each other, and others far", () => {
  const text = vector("the quick brown fox jumps over the lazy dog");
  expect(cosine(text, vector("The quick, brown FOX jumps over the lazy dog!"))).toBeCloseTo(1, 5);
  expect(cosine(text, vector("a quick brown fox sleeps"))).toBeGreaterThan(0.3);
  expect(Math.abs(cosine(text, vector("interest rates rose again last week")))).toBeLessThan(0.2);
});

it("hashing tells the order of words apart", () => {
  expect(cosine(vector("man bites dog"), vector("dog bites man"))).toBeLessThan(0.99);
});

it("a text is split into about equal pieces that hold every word once, none too long", () => {
  const words = Array.from({ length: 300 }, (_, index) => `w${index}`);
  const pieces = splitIntoPieces(words.join("\n"), 128, () => 1);
  expect(pieces.map((piece) => piece.tokens)).toEqual([100, 100, 100]);
  expect(pieces.map((piece) => piece.text).join(" ")).toBe(words.join(" "));
});

it("a word of more than 64 characters is cut", () => {
  const pieces = splitIntoPieces("x".repeat(200), 128, (word) => word.length);
  expect(pieces.map((piece) => piece.text.length)).toEqual([129, 73]);
});
