/** One text to embed, as in the request: a string, or token ids of cl100k_base. */
export type Input = string | number[];

export type ModelName = "universal-sentence-encoder-lite" | "hashing";

/** The number of tokens of all inputs together. */
export type Counted = { kind: "counted"; tokens: number };

/** `vectors` have unit length and the model's own number of dimensions. */
export type Embedded = { kind: "embedded"; vectors: Float32Array[] };

/** Why inputs cannot be embedded at all. */
export type Refused =
  | { kind: "refused"; reason: "input_too_long" | "request_too_long"; tokens: number }
  | { kind: "refused"; reason: "unknown_token" };

/** The messages between the two threads. */
export type Job = { id: number; kind: "count" | "embed"; inputs: Input[] };
export type Answer = Counted | Embedded | Refused;
export type Reply = { kind: "ready" } | (Answer & { id: number });

/** OpenAI's limits: https://platform.openai.com/docs/api-reference/embeddings/create#input */
export const MAX_INPUTS = 2_048;
export const MAX_INPUT_TOKENS = 8_192;
export const MAX_REQUEST_TOKENS = 300_000;
