import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { expect, it } from "vitest";
import type { Provider } from "../declare/provider.ts";
import { ollama } from "../providers/ollama.ts";
import { openai } from "../providers/openai.ts";
import { tokenCounterOf } from "./count-tokens.ts";
import { passages } from "./passages.ts";

const body = "The quick brown fox jumps over the lazy dog. ".repeat(400);

it("puts the row's title before every passage except the first, which starts with it", () => {
  const made = passages(`Foxes\n\n${body}`, { title: "Foxes", maxTokens: 500 });
  expect(made.length).toBeGreaterThan(5);
  for (const { input } of made) expect(input).toMatch(/^Foxes\n\n/);
  expect(made[0]?.input).not.toMatch(/^Foxes\n\nFoxes/);
});

it("counts the title's tokens, and places each passage in the row's text", () => {
  const text = `Foxes\n\n${body}`;
  for (const { input, tokens, start, length } of passages(text, { title: "Foxes", maxTokens: 500 })) {
    expect(Math.abs(tokens - countTokens(input))).toBeLessThanOrEqual(3);
    expect(input.endsWith(text.slice(start, start + length))).toBe(true);
  }
});

it("leaves a text without a title as it is", () => {
  const made = passages(body, { title: " ", maxTokens: 500 });
  expect(
    made
      .map(({ input }) => input)
      .join("")
      .trimEnd(),
  ).toBe(body.trimEnd());
});

it("keeps title and prefix within the model's limit, however large the chunks may be", () => {
  const options = { title: "Foxes", maxTokens: 1_000, maxInputTokens: 100, prefix: "passage: " };
  const made = passages(`Foxes\n\n${body}`, options);
  expect(made.length).toBeGreaterThan(30);
  for (const { input, tokens } of made) {
    expect(tokens).toBeLessThanOrEqual(100);
    expect(countTokens(`passage: ${input}`)).toBeLessThanOrEqual(100);
  }
});

it("leaves out a title that would leave too little for the text", () => {
  const title = "A title of many words ".repeat(10);
  const made = passages(body, { title, maxTokens: 1_000, maxInputTokens: 64 });
  for (const { input, tokens } of made) {
    expect(tokens).toBeLessThanOrEqual(64);
    expect(input).not.toContain("A title");
  }
});

it("counts a quarter more for a model with an unknown tokenizer, and with the declared tokenizer otherwise", () => {
  const tokensBy = (provider: Provider) =>
    passages("Foxes", { title: "", maxTokens: 1_000, count: tokenCounterOf(provider) })[0]?.tokens;
  const exact = countTokens("Foxes");
  expect(tokensBy(openai())).toBe(exact);
  expect(tokensBy(ollama())).toBe(Math.ceil(exact * 1.25));
  expect(tokensBy(ollama({ countTokens: ({ length }) => length }))).toBe(5);
  expect(tokensBy(ollama({ countTokens: ({ length }) => length / 4 }))).toBe(2);
});
