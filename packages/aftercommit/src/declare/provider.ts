/** What somebody allows in a minute. */
export type Limits = {
  tokensPerMinute: number;
  requestsPerMinute: number;
  /** Texts, however many a request has; unlimited when left out. */
  inputsPerMinute?: number;
};

/** What a text is embedded for: to be found, or to find. */
export type Purpose = "passage" | "query";

/** One request to a provider. `dimensions` is the width to ask for; undefined takes the model's own. */
export type EmbedRequest = {
  model: string;
  dimensions: number | undefined;
  texts: readonly string[];
  purpose: Purpose;
  timeoutMs: number;
};

type OfLimits = { tokens?: number | undefined; requests?: number | undefined };

/** One answered request: `tokens` is what the provider charges for, NaN if it does not say; `left`, what is left of its limits. */
export type Answer = { vectors: Float32Array[]; tokens: number; left: OfLimits };

export type ProviderLimits = Limits & {
  inputsPerRequest: number;
  tokensPerRequest: number;
  /** Rows are split into passages that are no longer. */
  tokensPerInput: number;
};

/** Who makes vectors of texts, and within what limits: `openai()`, `voyage()`, … make one. */
export type Provider = {
  kind: "provider";
  /** Models remember the name of their provider. */
  name: string;
  /** Where it answers, for people. Throws EnvironmentError if a variable that it needs is missing. */
  address: () => string;
  limits: ProviderLimits;
  /** Put before each text. */
  prefixes: Readonly<Record<Purpose, string>>;
  /** How long a request for many passages may take. */
  timeoutMs: number;
  /** The model of a new database, unless EMBEDDING_MODEL names another. */
  defaultModel: string;
  /** What is known of its models: the width of their vectors, and US dollars per million tokens. */
  models: Readonly<Record<string, { dimensions: number; price?: number }>>;
  /** Counts tokens as its models do. Without it they are estimated by OpenAI's tokenizer, times `tokenMargin`. */
  countTokens?: (text: string) => number;
  tokenMargin: number;
  /**
   * Makes one vector for each text, in order, by one request, without a retry.
   * @throws {OpenAI.APIError} with the provider's own reason
   * @throws {EmbeddingShapeError} when the answer is not one vector per text
   * @throws {EnvironmentError} when a variable that it needs is missing
   */
  embed: (request: EmbedRequest) => Promise<Answer>;
};

/** What a person may change of a provider. */
export type ProviderOptions = {
  /** Other limits than those of the provider's first paid tier. */
  limits?: Partial<ProviderLimits>;
  /** Put before each text: E5 models want `passage: ` and `query: `. */
  prefixes?: Partial<Record<Purpose, string>>;
  /** How long a request for many passages may take, in milliseconds; 60,000 when left out. */
  timeoutMs?: number;
  /** Counts tokens as the model does; without it they are estimated. */
  countTokens?: (text: string) => number;
};

/** A vector, or why there is none of this very text. */
export type Outcome = { vector: Float32Array } | { failed: string };

/** The provider answered, but not with vectors that can be used. */
export class EmbeddingShapeError extends Error {
  override readonly name = "EmbeddingShapeError";
  /** What fixes it, where a command does. */
  readonly command: string | undefined;
  /** Why each text has no vector, where there was one for each. */
  readonly outcomes: readonly Outcome[] | undefined;

  constructor(
    message: string,
    { command, outcomes }: { command?: string | undefined; outcomes?: Outcome[] } = {},
  ) {
    super(command ? `${message}: ${command}` : message);
    this.command = command;
    this.outcomes = outcomes;
  }
}
