import { setTimeout as sleep } from "node:timers/promises";
import { APIConnectionTimeoutError, APIError } from "openai";
import { EmbeddingShapeError, type Outcome, type Provider } from "../declare/provider.ts";
import { type Ask, askProvider, type Input } from "./ask-provider.ts";
import { type Failure, isDrop, isOneTexts, isRefusal, isStarting, namedInput } from "./blame.ts";

/**
 * Receives the outcome of each input as soon as it is known. `cause` is the provider's error if the input failed by
 * itself.
 */
type Take<T> = (input: T, outcome: Outcome, cause?: APIError) => void | Promise<void>;

type Search<T> = {
  ask: Ask;
  take: Take<T>;
  /** Whether a known good text was embedded. */
  isProbed: boolean;
  tokens: number;
  failures: number;
  culprits: number;
};

/** After this many failed requests, the search stops. The rest is due again after a pause. */
const MOST_FAILURES = 100;
// A server that names one input after another may mean none of them.
const MOST_NAMED = 3;
const PROBE_TIMEOUT_MS = 10_000;
// A server that crashed during a request gets this long to come back: 20 s.
const MOST_PROBES = 10;
const PROBE_PAUSE_MS = 2_000;

/** Part of a failed request gets less time than the whole. */
const partTimeout = ({ timeoutMs }: Provider) => timeoutMs / 3;

/** The most inputs that a provider accepted in one request, in this process, after it rejected more. */
const mostInputs = new WeakMap<Provider, number>();

/**
 * Embeds a known good text. Rejects if that fails as well: none of the texts is at fault. Waits for a server that went
 * down during a request, or the text that crashed it would be in the next request again.
 */
async function probe<T>(search: Search<T>, why: Failure): Promise<void> {
  const { ask } = search;
  const timeoutMs = Math.min(PROBE_TIMEOUT_MS, ask.provider.timeoutMs);
  for (let left = isDrop(why) ? MOST_PROBES : 1; ; left -= 1) {
    try {
      await askProvider([{ text: "ok", tokens: 1 }], { ...ask, timeoutMs });
      search.isProbed = true;
      return;
    } catch (error) {
      if (left <= 1 || !isStarting(error)) throw isOneTexts(error) ? why : error;
    }
    await sleep(PROBE_PAUSE_MS);
  }
}

/** Sends one request. Resolves with its failure if one text may have caused it; otherwise rejects. */
async function attempt<T extends Input>(
  inputs: readonly T[],
  search: Search<T>,
): Promise<Failure | undefined> {
  const { failures, take } = search;
  const timeout = failures > 0 ? { timeoutMs: partTimeout(search.ask.provider) } : {};
  let outcomes: readonly Outcome[];
  try {
    const answer = await askProvider(inputs, { ...search.ask, ...timeout });
    search.tokens += answer.tokens;
    outcomes = answer.outcomes;
  } catch (error) {
    if (!isOneTexts(error)) throw error;
    search.failures += 1;
    if (isDrop(error)) await probe(search, error);
    return error;
  }
  for (const [place, input] of inputs.entries()) {
    const outcome = outcomes[place];
    if (outcome) await take(input, outcome);
  }
  return undefined;
}

function learnMostInputs(provider: Provider, inputs: number): void {
  mostInputs.set(provider, Math.min(inputs, mostInputs.get(provider) ?? inputs));
}

/** Sets one input aside, after one more attempt in case the failure was transient. */
async function blame<T extends Input>(input: T, search: Search<T>, failure: Failure): Promise<void> {
  let last = failure;
  if (!isRefusal(failure)) {
    const again = await attempt([input], search);
    if (again === undefined) return;
    // The server may have gone down since.
    if (!isDrop(again)) await probe(search, again);
    last = again;
  }
  search.culprits += 1;
  await search.take(input, { failed: last.message }, last instanceof APIError ? last : undefined);
}

async function halve<T extends Input>(
  inputs: readonly T[],
  search: Search<T>,
  failure: Failure,
): Promise<void> {
  const { culprits } = search;
  const { provider } = search.ask;
  const middle = Math.ceil(inputs.length / 2);
  await embed(inputs.slice(0, middle), search);
  await embed(inputs.slice(middle), search);
  const isSize = [APIConnectionTimeoutError, EmbeddingShapeError].some((type) => failure instanceof type);
  // None of them is at fault: there were too many. Some servers return one vector, whatever they receive.
  if ((isSize || isRefusal(failure)) && search.culprits === culprits) learnMostInputs(provider, middle);
}

async function embed<T extends Input>(inputs: readonly T[], search: Search<T>): Promise<void> {
  const most = mostInputs.get(search.ask.provider) ?? inputs.length;
  if (inputs.length > most) {
    for (let at = 0; at < inputs.length; at += most) await embed(inputs.slice(at, at + most), search);
    return;
  }
  const failure = inputs.length > 0 ? await attempt(inputs, search) : undefined;
  if (failure === undefined) return;
  if (search.failures > MOST_FAILURES) throw failure;
  const place = namedInput(failure, inputs.length);
  const named = place === undefined ? undefined : inputs[place];
  if (!search.isProbed && (named === undefined || search.failures > MOST_NAMED)) {
    await probe(search, failure).catch((error: unknown) => {
      // A slow server may still be working on what was too much for it: next time it gets less.
      if (failure instanceof APIConnectionTimeoutError && inputs.length > 1)
        learnMostInputs(search.ask.provider, Math.ceil(inputs.length / 2));
      throw error;
    });
  }
  if (failure instanceof EmbeddingShapeError && failure.outcomes) {
    for (const [at, input] of inputs.entries()) {
      search.culprits += 1;
      await search.take(input, failure.outcomes[at] ?? { failed: failure.message });
    }
    return;
  }
  const [only] = inputs;
  if (inputs.length === 1 && only) return blame(only, search, failure);
  if (named === undefined) return halve(inputs, search, failure);
  search.culprits += 1;
  await search.take(named, { failed: failure.message }, failure instanceof APIError ? failure : undefined);
  await embed(
    inputs.filter((input) => input !== named),
    search,
  );
}

/**
 * Embeds inputs with one request. If it fails for a reason that may be one of the texts, this finds that text, which
 * the provider names or halving isolates, and embeds the others. A known good text is tried first, so that a server
 * that is down fails no text. Each text is in at most log2(n) + 2 failed requests, and after {@link MOST_FAILURES} of
 * them the rest is left. Resolves with the tokens that were charged. Rejects like {@link askProvider} if no text is at
 * fault.
 */
export async function embedInputs<T extends Input>(
  inputs: readonly T[],
  ask: Ask,
  take: Take<T>,
): Promise<number> {
  const search: Search<T> = { ask, take, tokens: 0, failures: 0, isProbed: false, culprits: 0 };
  await embed(inputs, search);
  return search.tokens;
}
