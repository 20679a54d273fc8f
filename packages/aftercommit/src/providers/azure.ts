import type { Provider, ProviderOptions } from "../declare/provider.ts";
import { required } from "../env/env.ts";
import { makeProvider } from "./make-provider.ts";
import { OPENAI_LIMITS } from "./openai.ts";
import { openaiForm } from "./openai-form.ts";

// The v1 API needs no api-version: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle.
const baseURL = () => `${required("AZURE_OPENAI_ENDPOINT").replace(/\/+$/, "")}/openai/v1`;

/**
 * Azure OpenAI, at AZURE_OPENAI_ENDPOINT with AZURE_OPENAI_API_KEY. A model's name is the name of its deployment. Set
 * the deployment's limits.
 *
 * @example
 * azure({ deployment: "my-embeddings", limits: { tokensPerMinute: 350_000, requestsPerMinute: 2_100 } });
 */
export function azure(options: ProviderOptions & { deployment: string; dimensions?: number }): Provider {
  const { deployment, dimensions = 1_536 } = options;
  const given = {
    name: "azure",
    variables: ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY"],
    address: baseURL,
    limits: OPENAI_LIMITS,
    defaultModel: deployment,
    models: { [deployment]: { dimensions } },
    embed: openaiForm(() => ({
      name: "azure",
      baseURL: baseURL(),
      headers: { "api-key": required("AZURE_OPENAI_API_KEY") },
    })),
  };
  return makeProvider(given, options, 1);
}
