import { APIError } from "openai";
import { optional, required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { readModelsInUse } from "../models/models.ts";
import { EmbeddingShapeError, embedTexts } from "../providers/provider.ts";
import { type Category, failed, ok, skipped } from "./finding.ts";
import { placeOf } from "./shown.ts";

const TIMEOUT_MS = 5_000;

const KEY = "Set OPENAI_API_KEY to a key of platform.openai.com → API keys";
const CREDIT = "Add credit at platform.openai.com → Settings → Billing";
const MODEL = "Let the key's project use the model, or change it: npm run reembed -- --model NAME";

function refusal({ status = 500, message, code, type }: APIError) {
  const actual = `answers ${status}: ${message}`;
  if (status >= 500) return failed(actual);
  if (status === 401 || status === 403) return failed(actual, KEY);
  if ([code, type].includes("insufficient_quota")) return failed("the quota is used up", CREDIT);
  return status === 429 ? skipped("the rate limit is reached: ask again in a minute") : failed(actual, MODEL);
}

/** Whether the provider makes the vectors that the database has. */
export const provider: Category = async function* ({ check, server }) {
  yield check("provider.vectors", "Correct OPENAI_BASE_URL, or leave it out for OpenAI", async () => {
    required("OPENAI_API_KEY");
    const { active } = await readModelsInUse((await server()).db);
    try {
      await embedTexts(active, ["doctor"], { timeoutMs: TIMEOUT_MS });
      const place = placeOf(optional("OPENAI_BASE_URL") ?? "https://api.openai.com/v1");
      return ok(`${place}, ${active.name}, ${active.dimensions} dimensions`);
    } catch (error) {
      if (error instanceof APIError) return refusal(error);
      if (error instanceof EmbeddingShapeError) return failed(rootMessageOf(error), error.command);
      throw error;
    }
  });
};
