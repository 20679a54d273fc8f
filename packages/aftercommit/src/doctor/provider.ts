import { APIError } from "openai";
import { embeddingsOf } from "../declare/declarations.ts";
import { EmbeddingShapeError } from "../declare/provider.ts";
import { whereOf } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { readModelsInUse } from "../models/models.ts";
import { embedTexts } from "../providers/embed-texts.ts";
import { providerOf } from "../providers/provider-of.ts";
import { type Category, failed, ok, skipped } from "./finding.ts";
import { placeOf } from "./shown.ts";

const TIMEOUT_MS = 5_000;

const KEYS = "Set its key, as docs/providers.md says";
const CREDIT = "Add credit at the provider";
const MODEL = "Let the key's project use the model, or change it: npx aftercommit reembed --model NAME";

function refusal({ status = 500, message, code, type }: APIError, names: readonly string[]) {
  // The message begins with the status.
  const actual = `answers ${message}`;
  if (status >= 500) return failed(actual);
  if (status === 401 || status === 403)
    return failed(
      actual,
      names.length > 0 ? `Set ${names.map((name) => name + whereOf(name)).join(" and ")}` : KEYS,
    );
  if ([code, type].includes("insufficient_quota")) return failed("the quota is used up", CREDIT);
  return status === 429 ? skipped("the rate limit is reached: ask again in a minute") : failed(actual, MODEL);
}

/** Whether the provider makes vectors like those in the database. */
export const provider: Category = async function* ({ check, declarations, server }) {
  const [declaration] = embeddingsOf(declarations);
  if (!declaration) return;
  yield check("provider.vectors", "Correct the provider's address, or its declaration", async () => {
    const { active } = await readModelsInUse((await server()).db);
    const asked = providerOf(declaration, active);
    try {
      await embedTexts(asked, active, ["doctor"], { purpose: "query", timeoutMs: TIMEOUT_MS });
      return ok(`${placeOf(asked.address())}, ${active.name}, ${active.dimensions} dimensions`);
    } catch (error) {
      if (error instanceof APIError) return refusal(error, asked.variables);
      if (error instanceof EmbeddingShapeError) return failed(rootMessageOf(error), error.command);
      throw error;
    }
  });
};
