// The public API: what aftercommit.config.ts declares, and search from your code.
export { DeclarationError } from "./declaration-error.ts";
export { declarationsOf, deletionsOf, embeddingsOf } from "./declarations.ts";
export {
  type Declaration,
  type DeletionDeclaration,
  defineDeletion,
  defineEmbedding,
  defineTrigger,
  type EmbeddingDeclaration,
  type TriggerDeclaration,
} from "./define.ts";
export { StepError } from "./deletions/errors.ts";
export type { ExternalSystem } from "./deletions/external-system.ts";
export { httpSystem } from "./deletions/http-system.ts";
export { webhook } from "./deletions/webhook.ts";
export { EnvironmentError } from "./env.ts";
export { aiSdk } from "./providers/ai-sdk.ts";
export { azure } from "./providers/azure.ts";
export { cohere } from "./providers/cohere.ts";
export { gemini } from "./providers/gemini.ts";
export { ollama } from "./providers/ollama.ts";
export { openai } from "./providers/openai.ts";
export { openaiCompatible } from "./providers/openai-compatible.ts";
export type { Provider, ProviderOptions } from "./providers/provider.ts";
export { voyage } from "./providers/voyage.ts";
export { InvalidSearchError, searchQuery } from "./search/query.ts";
export { type SearchResult, SearchUnavailableError, searchRows } from "./search/search.ts";
