import type { APIError } from "openai";
import type { Database } from "../db/client.ts";
import type { Provider } from "../declare/provider.ts";
import { learnMaxInputTokens, type Model } from "../models/models.ts";
import { type Ask, askProvider, type Input } from "../providers/ask-provider.ts";
import { isOneTexts, isRefusal } from "../providers/blame.ts";
import { limitsOf } from "../providers/limits.ts";
import { tokenCounterOf } from "./count-tokens.ts";
import { split } from "./split.ts";

// No model has so low a limit: a text of this length is rejected for its content.
const SHORTEST = 64;
const TIMEOUT_MS = 20_000;
// Texts split individually before the model's limit is lowered: so many are no coincidence.
const MOST_ODD = 3;
// What servers say about an input's length in their errors, such as llama.cpp's "input is too large to process".
const OF_LENGTH = /too (large|long)|context length|exceed|maximum/i;

/** The longest input that a model accepts, as far as known. */
export const maxInputTokensOf = (provider: Provider, { maxInputTokens }: Pick<Model, "maxInputTokens">) =>
  Math.min(limitsOf(provider).tokensPerInput, maxInputTokens ?? Number.POSITIVE_INFINITY);

/** Learns a model's longest input from what it rejects. */
export class InputLength {
  most: number;
  #longestAccepted = 0;
  #odd = 0;
  readonly #db: Database;
  readonly #model: Model;
  readonly #provider: Provider;

  constructor(db: Database, model: Model, provider: Provider) {
    this.#db = db;
    this.#model = model;
    this.#provider = provider;
    this.most = maxInputTokensOf(provider, model);
  }

  sawAccepted({ tokens }: Input): void {
    this.#longestAccepted = Math.max(this.#longestAccepted, tokens);
  }

  /**
   * Whether an input failed for its length: its halves are accepted, or the halves of the rejected half. Undefined if
   * it failed for its content. `isOfModel`: nothing as long was ever accepted, so the model's limit is the reason and
   * not this text. Sends at most two requests per halving.
   */
  async shorter(
    input: Input,
    cause: APIError,
    ask: Ask,
  ): Promise<{ tokens: number; isOfModel: boolean } | undefined> {
    const count = tokenCounterOf(this.#provider);
    for (let refused = input; ; ) {
      const most = Math.ceil(refused.tokens / 2);
      const [first, second] = most < SHORTEST ? [] : split(refused.text, most, count);
      if (!first || !second) return undefined;
      const failed = (await this.#isAccepted(first, ask))
        ? (await this.#isAccepted(second, ask))
          ? undefined
          : second
        : first;
      if (failed) refused = failed;
      else {
        const isOfModel = refused.tokens > this.#longestAccepted && this.#isOfLength(cause);
        return { tokens: isOfModel ? this.#longestAccepted : most, isOfModel };
      }
    }
  }

  #isOfLength(cause: APIError): boolean {
    this.#odd += 1;
    return isRefusal(cause) || OF_LENGTH.test(cause.message) || this.#odd > MOST_ODD;
  }

  async #isAccepted(input: Input, ask: Ask): Promise<boolean> {
    try {
      await askProvider([input], { ...ask, timeoutMs: TIMEOUT_MS });
      this.sawAccepted(input);
      return true;
    } catch (error) {
      if (!isOneTexts(error)) throw error;
      return false;
    }
  }

  async learn(tokens: number): Promise<void> {
    this.most = Math.min(this.most, tokens);
    await learnMaxInputTokens(this.#db, this.#model.id, tokens);
  }
}
