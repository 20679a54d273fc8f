import type { Provider, ProviderOptions } from "../declare/provider.ts";
import { bearerOf } from "./bearer.ts";
import { makeProvider } from "./make-provider.ts";
import { openaiForm } from "./openai-form.ts";

type Options = ProviderOptions & {
  /** The name of the server, which models store. */
  name: string;
  /** The URL without `/embeddings`, such as `https://api.mistral.ai/v1`. */
  baseURL: string;
  /** The name of the environment variable with the key, such as `MISTRAL_API_KEY`. Default: no key. */
  apiKeyVariable?: string;
  /** The model of a new database, and the width of its vectors. */
  model: { name: string; dimensions: number; price?: number };
};

// Safe defaults for an undeclared server: many limit an input to 512 tokens and a request to 32 inputs
// (text-embeddings-inference: https://huggingface.co/docs/text-embeddings-inference/cli_arguments).
const LIMITS = {
  tokensPerMinute: 1_000_000,
  requestsPerMinute: 3_000,
  inputsPerRequest: 32,
  tokensPerRequest: 100_000,
  tokensPerInput: 8_191,
};

/**
 * Any server that answers `POST /embeddings` like OpenAI: vLLM, text-embeddings-inference, llama.cpp, LM Studio,
 * LiteLLM, Mistral, Jina, Together, …
 *
 * @example
 * openaiCompatible({ name: "tei", baseURL: "http://tei:8080/v1", model: { name: "BAAI/bge-m3", dimensions: 1_024 } });
 * @throws {DeclarationError} if `apiKeyVariable` is a key instead of the name of a variable
 */
export function openaiCompatible(options: Options): Provider {
  const { name, baseURL, apiKeyVariable, model } = options;
  const headers = bearerOf(`openaiCompatible({ name: "${name}" })`, apiKeyVariable);
  const given = {
    name,
    variables: apiKeyVariable ? [apiKeyVariable] : [],
    address: () => baseURL,
    limits: LIMITS,
    defaultModel: model.name,
    models: { [model.name]: model },
    embed: openaiForm(() => ({ name, baseURL, headers: headers() })),
  };
  return makeProvider(given, options);
}
