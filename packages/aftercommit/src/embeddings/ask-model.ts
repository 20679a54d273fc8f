import type { APIError } from "openai";
import type { Database } from "../db/client.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import type { Outcome, Provider } from "../declare/provider.ts";
import type { Model } from "../models/models.ts";
import type { Ask } from "../providers/ask-provider.ts";
import { embedInputs } from "../providers/embed-inputs.ts";
import { limitsOf } from "../providers/limits.ts";
import { pack } from "../providers/pack.ts";
import { providerOf } from "../providers/provider-of.ts";
import { tokenCounterOf } from "./count-tokens.ts";
import { InputLength } from "./input-length.ts";
import type { Job } from "./job.ts";
import { passages } from "./passages.ts";
import type { PresentRow } from "./read-rows.ts";

type Work = {
  db: Database;
  declaration: EmbeddingDeclaration;
  priority: boolean;
  /** Called after each request, with the tokens that it cost. */
  progress: (tokens: number) => Promise<void>;
};

/** Texts must be split again into shorter passages, for one row or for the model. */
class SplitAgainError extends Error {}

export function splitterOf({ chunkTokens }: EmbeddingDeclaration, provider: Provider) {
  const options = {
    maxTokens: chunkTokens,
    prefix: provider.prefixes.passage,
    count: tokenCounterOf(provider),
  };
  return ({ text, title }: Pick<PresentRow, "text" | "title">, maxInputTokens: number) =>
    passages(text, { ...options, title, maxInputTokens });
}

async function askFor(
  jobs: readonly Job[],
  ask: Ask & { length: InputLength },
  { progress }: Work,
): Promise<void> {
  const { provider, length } = ask;
  const inputs = jobs.flatMap((job) =>
    job.left.map((passage) => ({ text: passage.input, tokens: passage.tokens, passage, job })),
  );
  const take = async (input: (typeof inputs)[number], outcome: Outcome, cause?: APIError) => {
    const { job, passage } = input;
    const shorter = cause && (await length.shorter(input, cause, ask));
    if (shorter) {
      if (shorter.isOfModel) await length.learn(shorter.tokens);
      else job.maxInputTokens = shorter.tokens;
      throw new SplitAgainError();
    }
    if ("vector" in outcome) length.sawAccepted(input);
    job.take(passage, outcome);
  };
  for (const request of pack(inputs, limitsOf(provider))) {
    // If a row with many passages failed in an earlier request, its other passages are not paid for.
    const asked = request.filter(({ job }) => !job.isDone);
    if (asked.length > 0) await progress(await embedInputs(asked, ask, take));
  }
}

/**
 * Asks one model for all vectors that some rows lack. If the model rejects an input for its length, stores the longest
 * length that fits and splits the texts again. Rejects like {@link embedInputs}, and with ModelError if the model's
 * provider is not declared.
 */
export async function askModel(jobs: readonly Job[], model: Model, work: Work): Promise<void> {
  const { db, declaration, priority } = work;
  const provider = providerOf(declaration, model);
  const length = new InputLength(db, model, provider);
  const ask = { db, provider, model, purpose: "passage", priority, length } as const;
  const split = splitterOf(declaration, provider);
  for (;;) {
    for (const job of jobs) job.plan(length.most, split);
    try {
      return await askFor(jobs, ask, work);
    } catch (error) {
      if (!(error instanceof SplitAgainError)) throw error;
    }
  }
}
