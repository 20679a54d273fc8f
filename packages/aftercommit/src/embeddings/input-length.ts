import type { APIError } from "openai";
import type { Database } from "../db/client.ts";
import type { Provider } from "../declare/provider.ts";
import { learnMaxInputTokens, type Model } from "../models/models.ts";
import { type Ask, askProvider, type Input } from "../providers/ask-provider.ts";
import { isOneTexts, isRefusal } from "../providers/blame.ts";
import { limitsOf } from "../providers/limits.ts";
import { tokenCounterOf } from "./count-tokens.ts";
import { split } from "./split.ts";

// No model takes so little: a text of this length is refused for what it says.
const SHORTEST = 64;
const TIMEOUT_MS = 20_000;
// Texts that are split by themselves, before it is no chance any more.
const MOST_ODD = 3;
// What servers say of a length by an error of theirs, such as llama.cpp's "input is too large to process".
const OF_LENGTH = /too (large|long)|context length|exceed|maximum/i;

/** The longest input that a model takes, as far as anybody knows. */
export const maxInputTokensOf = (provider: Provider, { maxInputTokens }: Pick<Model, "maxInputTokens">) =>
  Math.min(limitsOf(provider).tokensPerInput, maxInputTokens ?? Number.POSITIVE_INFINITY);

/** Learns how long an input of a model may be, from what it refuses. */
export class InputLength {
  /** The longest input to send, in tokens. */
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
   * Whether an input failed for its length: then its halves are accepted, or those of the half that is refused. Undefined
   * where it failed for what it says. `isOfModel` says that nothing as long was accepted, and not only this text is at
   * fault. Asks at most twice for each halving.
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

  /** Keeps the length with the model, so that later rows are split to fit. */
  async learn(tokens: number): Promise<void> {
    this.most = Math.min(this.most, tokens);
    await learnMaxInputTokens(this.#db, this.#model.id, tokens);
  }
}
