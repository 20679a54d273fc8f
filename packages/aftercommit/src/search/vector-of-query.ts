import type { Database } from "../db/client.ts";
import { EmbeddingShapeError, type Provider } from "../declare/provider.ts";
import { keepLast } from "../keep-last.ts";
import { askProvider } from "../providers/ask-provider.ts";
import type { ProviderModel } from "../providers/embed-texts.ts";

// A person is waiting for the response.
const TIMEOUT_MS = 10_000;

const keep = keepLast<Float32Array>(200);

type Deps = { model: ProviderModel; provider: Provider; db: Database };

async function embedText(text: string, deps: Deps): Promise<Float32Array> {
  const ask = { ...deps, purpose: "query", priority: true, timeoutMs: TIMEOUT_MS } as const;
  const { outcomes } = await askProvider([{ text, tokens: Math.ceil(text.length / 4) }], ask);
  const [outcome] = outcomes;
  if (!outcome || "failed" in outcome) throw new EmbeddingShapeError(outcome?.failed ?? "There is no vector");
  return outcome.vector;
}

/**
 * The vector of a search text. The last 200 are kept, so that a results page that refreshes itself sends the provider
 * one request. Rejects like the provider.
 */
export const vectorOfQuery = (text: string, deps: Deps): Promise<Float32Array> =>
  keep(`${deps.provider.name}\n${deps.model.name}\n${deps.model.dimensions}\n${text}`, () =>
    embedText(text, deps),
  );
