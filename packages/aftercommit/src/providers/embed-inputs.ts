import { APIError } from "openai";
import { type Ask, askProvider, type Input } from "./ask-provider.ts";

/** A vector, or the provider's reason why it makes none of this very text. */
export type Outcome = { vector: Float32Array } | { failed: string };

type Result = { outcomes: Outcome[]; tokens: number };

// About the request itself; 401, 403 and 404 are about all requests.
const isRefusal = (error: unknown): error is APIError =>
  error instanceof APIError && [400, 413, 422].includes(error.status ?? 0);

/** Which input the provider complains of, as in `input[3]`. */
function namedInput({ param, message }: APIError, count: number): number | undefined {
  const [, index] = /\binput\[(\d+)\]/.exec(`${param ?? ""} ${message}`) ?? [];
  return index !== undefined && Number(index) < count ? Number(index) : undefined;
}

const failed = (error: APIError): Outcome => ({ failed: error.message });

const joined = (first: Result, second: Result): Result => ({
  outcomes: [...first.outcomes, ...second.outcomes],
  tokens: first.tokens + second.tokens,
});

/** Embeds an input that surely is good: where that is refused, the fault is not in the inputs. */
async function probe(ask: Ask, why: APIError): Promise<void> {
  await askProvider([{ text: "ok", tokens: 1 }], ask).catch((error: unknown) => {
    throw isRefusal(error) ? why : error;
  });
}

/**
 * Embeds inputs by one request. Where the provider refuses it for the sake of an input, that one is left out, if it is
 * named, or looked for by halves; the others are embedded.
 * Rejects as the provider does where not the inputs are at fault.
 */
export async function embedInputs(inputs: readonly Input[], ask: Ask, probed = false): Promise<Result> {
  try {
    const { vectors, tokens } = await askProvider(inputs, ask);
    return { outcomes: vectors.map((vector) => ({ vector })), tokens };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (inputs.length === 1) {
      if (!probed) await probe(ask, error);
      return { outcomes: [failed(error)], tokens: 0 };
    }
    const named = namedInput(error, inputs.length);
    if (named !== undefined) {
      const rest = await embedInputs([...inputs.slice(0, named), ...inputs.slice(named + 1)], ask, true);
      return { ...rest, outcomes: rest.outcomes.toSpliced(named, 0, failed(error)) };
    }
    if (!probed) await probe(ask, error);
    const middle = Math.ceil(inputs.length / 2);
    const first = await embedInputs(inputs.slice(0, middle), ask, true);
    return joined(first, await embedInputs(inputs.slice(middle), ask, true));
  }
}
