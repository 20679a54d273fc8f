import { countTokens, decode, encode } from "gpt-tokenizer/encoding/cl100k_base";
import { type Input, MAX_INPUT_TOKENS } from "./protocol.ts";

const LONGEST_TOKEN = 128;
const MAX_CHARACTERS = MAX_INPUT_TOKENS * LONGEST_TOKEN;
const TOKENS = 100_256;
const SPECIAL_TOKENS_ARE_TEXT = { disallowedSpecial: new Set<string>() };

// Byte pair merging takes quadratic time in a run without a break, so a longer run is counted in slices.
const LONG_RUN = /\p{L}{1000}|\s{1000}|[^\s\p{L}\p{N}]{1000}/gu;

// gpt-tokenizer keeps the bytes of an incomplete character at the end of its input and puts them before the next
// caller's text. A complete character at the end makes it drop them.
const WHOLE_CHARACTER = "🦄";
const FLUSH = encode(WHOLE_CHARACTER);

/**
 * The length of an input in tokens of cl100k_base, the encoding of OpenAI's embedding models
 * (https://github.com/openai/tiktoken/blob/main/tiktoken/model.py). Undefined for ids that are not ordinary tokens. The
 * count is exact, except that an unbroken run of more than 1,000 characters may count one extra token per 1,000, and
 * that counting stops at 1,048,576 characters, which never fit into 8,192 tokens.
 */
export function tokensOf(input: Input): number | undefined {
  if (typeof input === "string") return tokensIn(input);
  const isToken = (token: number) => token >= 0 && token < TOKENS;
  return input.length > MAX_INPUT_TOKENS || input.every(isToken) ? input.length : undefined;
}

/** The text of an input whose tokens were counted. */
export function textOf(input: Input): string {
  return typeof input === "string" ? input : decode([...input, ...FLUSH]).slice(0, -WHOLE_CHARACTER.length);
}

function tokensIn(text: string): number {
  const counted = text.slice(0, MAX_CHARACTERS + 1);
  let tokens = 0;
  let start = 0;
  for (const run of counted.matchAll(LONG_RUN)) {
    const end = run.index + run[0].length;
    tokens += countTokens(counted.slice(start, end), SPECIAL_TOKENS_ARE_TEXT);
    start = end;
  }
  return tokens + countTokens(counted.slice(start), SPECIAL_TOKENS_ARE_TEXT);
}
