import { z } from "zod";
import { ApiError } from "./api-error.ts";
import {
  type Input,
  MAX_INPUT_TOKENS,
  MAX_INPUTS,
  MAX_REQUEST_TOKENS,
  type ModelName,
  type Refused,
} from "./protocol.ts";

type Facts = { dimensions: number; shortens: boolean };

const LOCAL: Facts = { dimensions: 1_536, shortens: false };

/** OpenAI's models, whose names any client may request. Only those of the third generation can be shortened. */
const MODELS = new Map<string, Facts>([
  ["text-embedding-3-small", { dimensions: 1_536, shortens: true }],
  ["text-embedding-3-large", { dimensions: 3_072, shortens: true }],
  ["text-embedding-ada-002", { dimensions: 1_536, shortens: false }],
]);

const text = z.string().min(1);
const tokens = z.array(z.int()).min(1);
const bodySchema = z.object({
  model: z.string().min(1),
  input: z.union([text, z.array(text).min(1), tokens, z.array(tokens).min(1)]),
  dimensions: z.int().nullish(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
});

export type EmbeddingsRequest = {
  model: string;
  inputs: Input[];
  dimensions: number;
  encoding: "float" | "base64";
};

/**
 * Reads the body of `POST /v1/embeddings` (https://platform.openai.com/docs/api-reference/embeddings/create). Of the
 * local models, only the running one is accepted by name: vectors of another are not comparable. Throws an ApiError
 * with OpenAI's own message, as far as it is public.
 */
export function parseRequest(body: string, served: ModelName): EmbeddingsRequest {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) throw invalid(parsed.error.issues[0]?.path[0]);
  const { model, input, dimensions, encoding_format } = parsed.data;
  const facts = model === served ? LOCAL : MODELS.get(model);
  if (facts === undefined) {
    throw new ApiError(404, {
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
      code: "model_not_found",
    });
  }
  const inputs = toInputs(input);
  if (inputs.length > MAX_INPUTS) throw invalidInput(` - array length must be ${MAX_INPUTS} or less`);
  if (dimensions != null) checkDimensions(dimensions, facts);
  return {
    model,
    inputs,
    dimensions: dimensions ?? facts.dimensions,
    encoding: encoding_format ?? "float",
  };
}

/** The error for inputs that the model's thread found to be too long, or not to be tokens. */
export function refusal(refused: Refused): ApiError {
  switch (refused.reason) {
    case "unknown_token":
      return invalidInput();
    case "input_too_long":
      return new ApiError(400, {
        message:
          `This model's maximum context length is ${MAX_INPUT_TOKENS} tokens, however you requested ` +
          `${refused.tokens} tokens (${refused.tokens} in your prompt; 0 for the completion). ` +
          "Please reduce your prompt; or completion length.",
      });
    case "request_too_long":
      return new ApiError(400, {
        message: `Requested ${refused.tokens} tokens, max ${MAX_REQUEST_TOKENS} tokens per request`,
        type: "max_tokens_per_request",
        code: "max_tokens_per_request",
      });
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(400, {
      message:
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP " +
        "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
    });
  }
}

type BodyInput = z.infer<typeof bodySchema>["input"];

function toInputs(input: BodyInput): Input[] {
  if (typeof input === "string") return [input];
  return isTokens(input) ? [input] : input;
}

function isTokens(input: Exclude<BodyInput, string>): input is number[] {
  return typeof input[0] === "number";
}

function checkDimensions(dimensions: number, facts: { dimensions: number; shortens: boolean }): void {
  if (!facts.shortens)
    throw new ApiError(400, { message: "This model does not support specifying dimensions." });
  if (dimensions >= 1 && dimensions <= facts.dimensions) return;
  const bound = dimensions < 1 ? "greater than or equal to 1" : `less than or equal to ${facts.dimensions}`;
  throw new ApiError(400, {
    message: `Invalid value for 'dimensions' = ${dimensions}. Must be ${bound}.`,
    param: "dimensions",
  });
}

function invalid(field: PropertyKey | undefined): ApiError {
  if (field === "input") return invalidInput();
  if (field === "model") return new ApiError(400, { message: "you must provide a model parameter" });
  const name = field === undefined ? "body" : String(field);
  return new ApiError(400, { message: `Invalid value for '${name}'.`, param: name });
}

function invalidInput(detail = ""): ApiError {
  return new ApiError(400, {
    message: `'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.${detail}`,
  });
}
