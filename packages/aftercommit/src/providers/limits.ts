import { optional } from "../env.ts";
import type { Limits } from "./rate-limiter.ts";

const numberOf = (name: "EMBEDDING_TOKENS_PER_MINUTE" | "EMBEDDING_REQUESTS_PER_MINUTE", fallback: number) =>
  Number(optional(name) ?? fallback);

/** What the provider allows in a minute: OpenAI's tier 1 where nothing is said. */
export const limits = (): Limits => ({
  tokensPerMinute: numberOf("EMBEDDING_TOKENS_PER_MINUTE", 1_000_000),
  requestsPerMinute: numberOf("EMBEDDING_REQUESTS_PER_MINUTE", 3_000),
});
