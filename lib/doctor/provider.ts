import { APIError } from "openai";
import { readModelsInUse } from "../../drizzle/queries/embeddings/models.ts";
import { limits } from "../embeddings/limits.ts";
import { type Answer, EmbeddingShapeError, embedTexts, type Model } from "../embeddings/provider.ts";
import { DEFAULT_DIMENSIONS, DEFAULT_MODEL } from "../embeddings/recipe.ts";
import { optional, required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { type Check, good, notNeeded, once, problem } from "./check.ts";
import { doctorsDatabase } from "./database.ts";
import { placeOf } from "./on-this-machine.ts";

const OPENAI = "https://api.openai.com/v1";
const TIMEOUT_MS = 5_000;

/** The model that the database's vectors are of, or that a new database would have. */
async function wantedModel(): Promise<Model> {
  const fallback = { name: optional("EMBEDDING_MODEL") ?? DEFAULT_MODEL, dimensions: DEFAULT_DIMENSIONS };
  const models = await readModelsInUse(doctorsDatabase()).catch(() => []);
  return models.find(({ state }) => state === "active") ?? fallback;
}

type Probe = { model: Model; answer?: Answer; error?: unknown };

async function embedOneWord(): Promise<Probe> {
  const model = await wantedModel();
  try {
    return { model, answer: await embedTexts(model, ["doctor"], { timeoutMs: TIMEOUT_MS }) };
  } catch (error) {
    return { model, error };
  }
}

const isQuota = ({ code, type }: APIError) => [code, type].includes("insufficient_quota");

/** Whether the provider makes the vectors that the database has, by one request of one word. */
export function provider(): Check[] {
  const probe = once(embedOneWord);
  return [
    {
      id: "provider.key",
      description:
        "the embedding provider answers and takes OPENAI_API_KEY (asks it for one word, a few tokens)",
      hint: "Correct OPENAI_BASE_URL, or leave it out for OpenAI",
      fatal: true,
      async run() {
        required("OPENAI_API_KEY");
        const { error } = await probe();
        const place = placeOf(optional("OPENAI_BASE_URL") ?? OPENAI);
        if (!(error instanceof APIError)) {
          if (error === undefined || error instanceof EmbeddingShapeError) return good(place);
          throw error;
        }
        if (error.status === undefined || error.status >= 500)
          return problem(`${place} does not answer: ${error.status ?? rootMessageOf(error)}`);
        if (error.status === 401 || error.status === 403)
          return problem(
            `${place} answers ${error.status}: ${error.message}`,
            "Set OPENAI_API_KEY to a key of platform.openai.com → API keys",
          );
        if (isQuota(error))
          return problem("the quota is used up", "Add credit at platform.openai.com → Settings → Billing");
        return good(error.status === 429 ? `${place}, its limits are used up at the moment` : place);
      },
    },
    {
      id: "provider.model",
      description: "the provider has the database's embedding model",
      hint: "Let the key's project use the model, or change the model: npm run reembed -- --model NAME",
      fatal: true,
      needs: ["provider.key"],
      async run() {
        const { model, error } = await probe();
        if (!(error instanceof APIError)) return good(model.name);
        if (error.status === 429) return notNeeded("its limits are used up at the moment: ask again later");
        return problem(`${model.name}: ${error.message}`);
      },
    },
    {
      id: "provider.dimensions",
      description: "the model's vectors are as wide as the database's",
      hint: "npm run reembed -- --model NAME --dimensions NUMBER",
      needs: ["provider.model"],
      async run() {
        const { model, error } = await probe();
        if (error instanceof EmbeddingShapeError) return problem(error.message, error.command);
        return good(`${model.dimensions}`);
      },
    },
    {
      id: "provider.budget",
      description: "the limits that are set here are within what the provider allows a minute",
      hint: "Set EMBEDDING_TOKENS_PER_MINUTE and EMBEDDING_REQUESTS_PER_MINUTE to the provider's limits",
      warning: true,
      needs: ["provider.model"],
      async run() {
        const { tokens, requests } = (await probe()).answer?.allowed ?? {};
        const { tokensPerMinute, requestsPerMinute } = limits();
        if (tokens === undefined && requests === undefined)
          return good("the provider says nothing of limits");
        const set = [
          ["EMBEDDING_TOKENS_PER_MINUTE", tokensPerMinute, tokens],
          ["EMBEDDING_REQUESTS_PER_MINUTE", requestsPerMinute, requests],
        ] as const;
        const seen = set.map(([name, here, there]) => `${name} ${here} of ${there ?? "unknown"}`).join(", ");
        const above = set.filter(([, here, there]) => there !== undefined && here > there);
        if (above.length === 0) return good(seen);
        return problem(seen, `Set ${above.map(([name, , there]) => `${name}=${there}`).join(" ")}`);
      },
    },
  ];
}
