import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { optional } from "../env/env.ts";
import { CHUNKER } from "../models/defaults.ts";
import { openai } from "../providers/openai.ts";

/** The model that a new database begins with. */
export type FirstModel = {
  provider: string;
  name: string;
  dimensions: number;
  dimensionsAsked: boolean;
  chunker: number;
};

// Of most models that nobody has said the width of; where it is wrong, the first answer says so.
const USUAL_DIMENSIONS = 1_536;

/**
 * The model of the first declared provider, unless EMBEDDING_MODEL names another; as wide as EMBEDDING_DIMENSIONS says, or
 * as it is known to be.
 */
export function firstModel([declaration]: readonly EmbeddingDeclaration[]): FirstModel {
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
