// Not `{ z }`: the loader of trigger.config.ts takes the default export for the whole module.
import * as z from "zod";

export const url = (protocols: string) =>
  z.string().regex(new RegExp(`^(${protocols})://`), `must start with ${protocols}://`);
export const httpUrl = url("https?");

const count = z.string().regex(/^[1-9]\d{0,11}$/, "must be a whole number, 1 or more");

/** The variables of the embedding providers. Each is read only if a model of its provider is used. */
export const providerVariables = {
  OPENAI_API_KEY: {
    schema: z.string(),
    where: "platform.openai.com → API keys; any text for a compatible server that asks for none",
  },
  OPENAI_BASE_URL: {
    schema: httpUrl,
    where: "the /v1 URL of an OpenAI-compatible server; leave it out for OpenAI",
  },
  AZURE_OPENAI_ENDPOINT: {
    schema: httpUrl,
    where: "Azure portal → your OpenAI resource → Keys and Endpoint, https://NAME.openai.azure.com",
  },
  AZURE_OPENAI_API_KEY: {
    schema: z.string(),
    where: "Azure portal → your OpenAI resource → Keys and Endpoint",
  },
  VOYAGE_API_KEY: { schema: z.string(), where: "dashboard.voyageai.com → API keys" },
  COHERE_API_KEY: { schema: z.string(), where: "dashboard.cohere.com → API keys" },
  GEMINI_API_KEY: { schema: z.string(), where: "aistudio.google.com → API keys" },
  EMBEDDING_MODEL: {
    schema: z.string(),
    where:
      "the model of a new database, read by npx aftercommit migrate only; the provider's usual one when left out. To change it later: npx aftercommit reembed --model NAME",
  },
  EMBEDDING_DIMENSIONS: {
    schema: z.string().regex(/^[1-9]\d{0,3}$/, "must be a whole number from 1 to 9999"),
    where:
      "the width of the vectors of a new database, read by npx aftercommit migrate only and asked of the provider; the model's own when left out",
  },
  EMBEDDING_TOKENS_PER_MINUTE: {
    schema: count,
    where:
      "your provider's limit: OpenAI's tier 1 has 1000000, tier 2 1000000, tier 3 5000000, tier 4 5000000, tier 5 10000000",
  },
  EMBEDDING_REQUESTS_PER_MINUTE: {
    schema: count,
    where:
      "your provider's limit: OpenAI's tier 1 has 3000, tier 2 5000, tier 3 5000, tier 4 10000, tier 5 10000",
  },
  EMBEDDING_TOKENS_PER_DAY: {
    schema: count,
    where: "how many tokens may be spent in a UTC day, search included; without a limit when left out",
  },
} as const satisfies Record<string, { schema: z.ZodType; where: string }>;

/** The variables of a process that embeds texts or searches. */
export const USED_BY_PROVIDERS = [
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "AZURE_OPENAI_ENDPOINT",
  "AZURE_OPENAI_API_KEY",
  "VOYAGE_API_KEY",
  "COHERE_API_KEY",
  "GEMINI_API_KEY",
  "EMBEDDING_TOKENS_PER_MINUTE",
  "EMBEDDING_REQUESTS_PER_MINUTE",
  "EMBEDDING_TOKENS_PER_DAY",
] as const;
