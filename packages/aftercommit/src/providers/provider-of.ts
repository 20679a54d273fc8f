import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Provider } from "../declare/provider.ts";
import { type Model, ModelError } from "../models/models.ts";

/**
 * The declared provider of a model.
 * @throws {ModelError} if it is not declared
 */
export function providerOf(
  { row, providers }: EmbeddingDeclaration,
  { name, provider }: Pick<Model, "name" | "provider">,
): Provider {
  const found = providers.find((declared) => declared.name === provider);
  if (found) return found;
  const declared = providers.map((one) => one.name).join(", ");
  throw new ModelError(
    `${name} is a model of the provider ${provider}, and defineEmbedding({ row: "${row}" }) has ${declared} only: add ${provider} to its providers`,
  );
}
