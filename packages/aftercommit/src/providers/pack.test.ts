import { describe, expect, it } from "vitest";
import { OPENAI_LIMITS } from "./openai.ts";
import { pack } from "./pack.ts";

const { inputsPerRequest: MAX_INPUTS, tokensPerRequest: MAX_TOKENS } = OPENAI_LIMITS;

const inputs = (count: number, tokens: number) => Array.from({ length: count }, (_, n) => ({ n, tokens }));
const MANY = 1e9;

describe("inputs are packed into requests", () => {
  it.each([
    ["none", inputs(0, 1), MANY, []],
    ["as many as fit", inputs(MAX_INPUTS, 1), MANY, [MAX_INPUTS]],
    ["one more than fits", inputs(MAX_INPUTS + 1, 1), MANY, [MAX_INPUTS, 1]],
    ["up to the tokens of a request", inputs(286, 1_000), MANY, [MAX_TOKENS / 1_000, 1]],
    ["up to half a minute's tokens", inputs(10, 1_000), 8_000, [4, 4, 2]],
    ["each larger than the budget alone", inputs(3, 1_000), 100, [1, 1, 1]],
  ])("%s", (_, all, tokensPerMinute, sizes) => {
    const requests = pack(all, { ...OPENAI_LIMITS, tokensPerMinute });
    expect(requests.map((request) => request.length)).toEqual(sizes);
    expect(requests.flat()).toEqual(all);
  });

  it("up to half a minute's inputs, if the provider limits those as well", () => {
    const requests = pack(inputs(100, 1), { ...OPENAI_LIMITS, inputsPerMinute: 80 });
    expect(requests.map((request) => request.length)).toEqual([40, 40, 20]);
  });
});
