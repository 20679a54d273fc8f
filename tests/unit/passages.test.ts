import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { expect, it } from "vitest";
import { passages } from "../../packages/aftercommit/src/embeddings/passages.ts";

const body = "The quick brown fox jumps over the lazy dog. ".repeat(400);

it("puts the row's title before every passage but the first, which starts with it", () => {
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

it("cuts an endless title", () => {
  const title = "😀".repeat(1_000);
  const second =
    passages(`${title}\n\n${body}`, { title, maxTokens: 5_000 })[1] ?? expect.fail("one passage");
  expect([...second.input.slice(0, second.input.indexOf("\n\n"))]).toHaveLength(200);
  expect(second.input.isWellFormed()).toBe(true);
});
