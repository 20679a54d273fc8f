import { DeclarationError } from "../declaration-error.ts";
import type { Provider, ProviderOptions } from "../declare/provider.ts";
import { secretOf } from "../env/env.ts";
import { makeProvider } from "./make-provider.ts";
import { openaiForm } from "./openai-form.ts";

type Options = ProviderOptions & {
  /** What your models remember the server by. */
  name: string;
  /** The address before `/embeddings`, such as `https://api.mistral.ai/v1`. */
  baseURL: string;
  /** The name of the environment variable that has the key, such as `MISTRAL_API_KEY`; none when left out. */
  apiKeyVariable?: string;
  /** The model of a new database, and how wide its vectors are. */
  model: { name: string; dimensions: number; price?: number };
};

// What a server of one's own takes without a word said about it: many have an input of 512 tokens and 32 inputs a request
// (text-embeddings-inference: https://huggingface.co/docs/text-embeddings-inference/cli_arguments).
const LIMITS = {
  tokensPerMinute: 1_000_000,
  requestsPerMinute: 3_000,
  inputsPerRequest: 32,
  tokensPerRequest: 100_000,
  tokensPerInput: 8_191,
};

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/**
 * Any server that answers `POST /embeddings` as OpenAI does: vLLM, text-embeddings-inference, llama.cpp, LM Studio,
 * LiteLLM, Mistral, Jina, Together, …
 *
 * @example
 * openaiCompatible({ name: "tei", baseURL: "http://tei:8080/v1", model: { name: "BAAI/bge-m3", dimensions: 1_024 } });
 * @throws {DeclarationError} when `apiKeyVariable` is a key, and not the name of a variable
 */
export function openaiCompatible(options: Options): Provider {
  const { name, baseURL, apiKeyVariable, model } = options;
  if (apiKeyVariable !== undefined && !VARIABLE.test(apiKeyVariable))
    throw new DeclarationError(
      `openaiCompatible({ name: "${name}" })`,
      "apiKeyVariable",
      "must be the name of an environment variable, such as MISTRAL_API_KEY",
    );
  const given = {
    name,
    address: () => baseURL,
    limits: LIMITS,
    defaultModel: model.name,
    models: { [model.name]: model },
    embed: openaiForm(() => ({
      name,
      baseURL,
      headers: { authorization: apiKeyVariable ? `Bearer ${secretOf(apiKeyVariable)}` : null },
    })),
  };
  return makeProvider(given, options);
}
