import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { optional } from "../env/env.ts";
import { CHUNKER } from "../models/defaults.ts";
import { openai } from "../providers/openai.ts";

// The width of most models, for a model of unknown width. If it is wrong, the first response says so.
const USUAL_DIMENSIONS = 1_536;

/**
 * The model of the first declared provider, unless EMBEDDING_MODEL names another; with the width of
 * EMBEDDING_DIMENSIONS, or the model's known width.
 */
export function firstModel([declaration]: readonly EmbeddingDeclaration[]) {
  const provider = declaration?.providers[0] ?? openai();
  const name = optional("EMBEDDING_MODEL") ?? provider.defaultModel;
  const asked = optional("EMBEDDING_DIMENSIONS");
  return {
    provider: provider.name,
    name,
    dimensions: asked ? Number(asked) : (provider.models[name]?.dimensions ?? USUAL_DIMENSIONS),
    dimensionsAsked: asked !== undefined,
    chunker: CHUNKER,
  };
}

export type FirstModel = ReturnType<typeof firstModel>;
