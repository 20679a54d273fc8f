// The public API: what aftercommit.config.ts declares, and search from your code.
export { DeclarationError } from "./declaration-error.ts";
export type {
  Declaration,
  DeletionDeclaration,
  EmbeddingDeclaration,
  TriggerDeclaration,
} from "./declare/declaration.ts";
export { declarationsOf, deletionsOf, embeddingsOf } from "./declare/declarations.ts";
export type { ExternalSystem } from "./declare/external-system.ts";
export type { Provider, ProviderOptions } from "./declare/provider.ts";
export type { Reranker } from "./declare/reranker.ts";
export { defineDeletion, defineEmbedding, defineTrigger } from "./define.ts";
export { StepError } from "./deletions/errors.ts";
export { httpSystem } from "./deletions/http-system.ts";
export { webhook } from "./deletions/webhook.ts";
export { EnvironmentError } from "./env/env.ts";
export { aiSdk } from "./providers/ai-sdk.ts";
export { azure } from "./providers/azure.ts";
export { cohere } from "./providers/cohere.ts";
export { gemini } from "./providers/gemini.ts";
export { httpReranker } from "./providers/http-reranker.ts";
export { ollama } from "./providers/ollama.ts";
export { openai } from "./providers/openai.ts";
export { openaiCompatible } from "./providers/openai-compatible.ts";
export { voyage } from "./providers/voyage.ts";
export type { SearchConnection } from "./search/connection.ts";
export {
  InvalidSearchError,
  RowNotFoundError,
  type SearchOptions,
  type SimilarOptions,
} from "./search/options.ts";
export type { SearchPage, SearchResult } from "./search/page.ts";
export { searchRequest } from "./search/request.ts";
export { search } from "./search/search.ts";
export { similar } from "./search/similar.ts";
export { SearchUnavailableError } from "./search/unavailable.ts";
