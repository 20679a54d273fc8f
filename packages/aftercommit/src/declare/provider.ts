/** A provider's limits per minute. */
export type Limits = {
  tokensPerMinute: number;
  requestsPerMinute: number;
  /** Texts, however many a request has. Default: unlimited. */
  inputsPerMinute?: number;
};

/** What a text is embedded for: to be found, or to search. */
export type Purpose = "passage" | "query";

/** One request to a provider. `dimensions` is the width to request; undefined means the model's own. */
export type EmbedRequest = {
  model: string;
  dimensions: number | undefined;
  texts: readonly string[];
  purpose: Purpose;
  timeoutMs: number;
};

type OfLimits = { tokens?: number | undefined; requests?: number | undefined };

/**
 * The response to one request. `tokens` is what the provider charges for, NaN if it does not say; `left` is what
 * remains of its limits.
 */
export type Answer = { vectors: Float32Array[]; tokens: number; left: OfLimits };

export type ProviderLimits = Limits & {
  inputsPerRequest: number;
  tokensPerRequest: number;
  /** The longest passage that a row is split into. */
  tokensPerInput: number;
};

/** Who makes vectors from texts, and within what limits. `openai()`, `voyage()` and the others create one. */
export type Provider = {
  kind: "provider";
  /** Models store the name of their provider. */
  name: string;
  /** The environment variables that it requires. */
  variables: readonly string[];
  /** The address, to show to people. Throws EnvironmentError if a variable that it needs is missing. */
  address: () => string;
  limits: ProviderLimits;
  /** Put before each text. */
  prefixes: Readonly<Record<Purpose, string>>;
  /** How long a request for many passages may take. */
  timeoutMs: number;
  /** The model of a new database, unless EMBEDDING_MODEL names another. */
  defaultModel: string;
  /** What is known about its models: the width of their vectors, and US dollars per million tokens. */
  models: Readonly<Record<string, { dimensions: number; price?: number }>>;
  /** Counts tokens as its models do. By default they are estimated with OpenAI's tokenizer, times `tokenMargin`. */
  countTokens?: (text: string) => number;
  tokenMargin: number;
  /**
   * Makes one vector per text, in order, with one request and without a retry.
   * @throws {OpenAI.APIError} with the provider's own reason
   * @throws {EmbeddingShapeError} if the response is not one vector per text
   * @throws {EnvironmentError} if a variable that it needs is missing
   */
  embed: (request: EmbedRequest) => Promise<Answer>;
};

/** The options of every provider. */
export type ProviderOptions = {
  /** Limits that differ from those of the provider's first paid tier. */
  limits?: Partial<ProviderLimits>;
  /** Put before each text: E5 models expect `passage: ` and `query: `. */
  prefixes?: Partial<Record<Purpose, string>>;
  /** How long a request for many passages may take, in milliseconds. Default: 60,000. */
  timeoutMs?: number;
  /** Counts tokens as the model does. By default they are estimated. */
  countTokens?: (text: string) => number;
};

/** A vector, or why this text has none. */
export type Outcome = { vector: Float32Array } | { failed: string };

/** The provider responded, but not with usable vectors. */
export class EmbeddingShapeError extends Error {
  override readonly name = "EmbeddingShapeError";
  /** The command that fixes it, if there is one. */
  readonly command: string | undefined;
  /** Why each text has no vector, if the response had one result per text. */
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
