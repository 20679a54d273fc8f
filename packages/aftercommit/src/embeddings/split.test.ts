import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { beforeAll, describe, expect, it } from "vitest";
import { split as splitInto } from "./split.ts";

const MAX_CHUNK_TOKENS = 1_000;
const split = (text: string) => splitInto(text, MAX_CHUNK_TOKENS);

const tokensOf = (text: string) => countTokens(text, { disallowedSpecial: new Set() });
const withoutSpace = (text: string) => text.replace(/\s+/g, "");
const joined = (text: string) =>
  split(text)
    .map((chunk) => chunk.text)
    .join("");

const sentence = "The quick brown fox jumps over the lazy dog, and nobody is surprised. ";
const prose = `${`${sentence.repeat(12)}\n\n`.repeat(40)}The end.`;
const code = `${"\tif (left < right) { return search(left, right - 1); }\n".repeat(30)}\n\n\n`.repeat(20);

const texts: Record<string, string> = {
  prose,
  code,
  "prose without any paragraph": sentence.repeat(500),
  "words without any sentence": "lorem ipsum dolor ".repeat(4_000),
  "Chinese without spaces": "他很喜欢看书。今天天气不错！".repeat(1_000),
  emoji: "👩‍👩‍👧‍👦🏳️‍🌈😀".repeat(2_000),
  "characters of many tokens each": "𓀀𒀀🀄".repeat(2_000),
  "one long word": "a".repeat(50_000),
  "Windows line ends": `${sentence.repeat(12)}\r\n\r\n`.repeat(40),
  "special tokens": "<|endoftext|> is text like any other <|fim_prefix|>\n".repeat(500),
  "white space in between": `start${" \n\t".repeat(5_000)}middle${"\n".repeat(5_000)}end`,
};

describe.each(Object.entries(texts))("the chunks of %s", (_, text) => {
  let chunks: ReturnType<typeof split>;
  beforeAll(() => {
    chunks = split(text);
  });

  it("are the text when joined, except for white space", () => {
    expect(withoutSpace(chunks.map((chunk) => chunk.text).join(""))).toBe(withoutSpace(text));
  });

  it("are none of white space only, and none with half a character", () => {
    for (const chunk of chunks) {
      expect(chunk.text).toMatch(/\S/);
      expect(chunk.text).not.toMatch(/\p{Surrogate}/u);
    }
  });

  it(`have at most ${MAX_CHUNK_TOKENS} tokens, counted as a whole`, () => {
    for (const chunk of chunks) {
      expect(chunk.tokens).toBeLessThanOrEqual(MAX_CHUNK_TOKENS);
      expect(tokensOf(chunk.text)).toBeLessThanOrEqual(MAX_CHUNK_TOKENS);
    }
  });
});

it("keeps a short text in one chunk, word for word", () => {
  const text = "The Future of AI\n\nIt is bright.  Or not?\n";
  expect(split(text)).toEqual([{ text, tokens: tokensOf(text), start: 0, length: text.length }]);
});

it("counts special tokens as the text that they are", () => {
  expect(split("<|endoftext|>")).toMatchObject([
    { text: "<|endoftext|>", tokens: tokensOf("<|endoftext|>") },
  ]);
  expect(tokensOf("<|endoftext|>")).toBeGreaterThan(1);
});

it.each(["", " ", "\n\n", "\u00a0\u3000\u2003\ufeff"])("makes no chunk of the white space %j", (text) => {
  expect(split(text)).toEqual([]);
});

it("fills chunks with whole paragraphs, and ends each at one", () => {
  const paragraph = `${sentence.repeat(22).trim()}\n\n`;
  const chunks = split(paragraph.repeat(40));
  expect(chunks.length).toBeGreaterThan(5);
  for (const chunk of chunks) expect(chunk.text).toMatch(/^The quick[\s\S]*surprised\.\n\n$/);
  for (const chunk of chunks.slice(0, -1))
    expect(chunk.tokens + tokensOf(paragraph)).toBeGreaterThan(MAX_CHUNK_TOKENS);
});

it("splits a long paragraph between sentences, Chinese ones as well", () => {
  for (const chunk of split(sentence.repeat(500).trim()))
    expect(chunk.text.trim()).toMatch(/^The quick.*surprised\.$/);
  for (const chunk of split("他很喜欢看书。".repeat(2_000))) expect(chunk.text).toMatch(/^他.*。$/);
});

it("says how many tokens each chunk has, within 2 %", () => {
  for (const text of [prose, sentence.repeat(500), "lorem ipsum dolor ".repeat(4_000)])
    for (const chunk of split(text)) {
      const exact = tokensOf(chunk.text);
      expect(Math.abs(chunk.tokens - exact)).toBeLessThanOrEqual(Math.max(1, exact * 0.02));
    }
});

describe("2 MB", () => {
  const huge: Record<string, string> = {
    "one letter": "a",
    emoji: "😀",
    Chinese: "漢字。",
    code: "\tif (x) { return y; }\n",
    newlines: "\n",
    spaces: " ",
    "blank lines of spaces": " \n",
    "full stops": ".",
    "full stops and spaces": ". ",
  };

  it.each(Object.entries(huge))("of %s are split without quadratic effort", (_, unit) => {
    const text = unit.repeat(Math.ceil(2_000_000 / Buffer.byteLength(unit)));
    expect(withoutSpace(joined(text)).length).toBe(withoutSpace(text).length);
  });
});
