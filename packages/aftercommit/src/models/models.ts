import { sql } from "drizzle-orm";
import type { Queries } from "../source.ts";

/** An embedding model: what made the vectors, how wide they are, and the type that their index casts to. */
export type Model = {
  id: number;
  /** The name of the declared provider that serves it. */
  provider: string;
  name: string;
  dimensions: number;
  /** Whether requests ask the provider for this width. */
  dimensionsAsked: boolean;
  /** The longest input that the model accepts, in tokens, if it rejected a longer one for its length. */
  maxInputTokens: number | null;
  /** The version of the chunker. */
  chunker: number;
  state: "building" | "active" | "retired";
  indexType: "halfvec" | "vector";
  /** True for the active model, and for one that has had every row once: edits write its vectors, too. */
  isComplete: boolean;
  /** The provider failed for every text and gets no request until this time, in Unix milliseconds; and why. */
  pausedUntil: number | null;
  pauseReason: string | null;
};

/** The database has no model, or one whose vectors this version cannot make. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}

const columns = sql`id, provider, name, dimensions, dimensions_asked as "dimensionsAsked",
  max_input_tokens as "maxInputTokens", chunker, state, index_type as "indexType",
  state = 'active' or completed_at is not null as "isComplete",
  (extract(epoch from case when paused_until > clock_timestamp() then paused_until end) * 1000)::float8 as "pausedUntil",
  case when paused_until > clock_timestamp() then pause_reason end as "pauseReason"`;

/** Every model, in the order of registration. */
export async function readModels(db: Queries): Promise<Model[]> {
  const { rows } = await db.execute<Model>(sql`select ${columns} from aftercommit.models order by id`);
  return rows;
}

/** The active model, which search uses, and the one that is being built, if any. */
export type ModelsInUse = { active: Model; building: Model | undefined };

/** Reads the models that embed rows. Rejects with ModelError until npx aftercommit migrate has registered one. */
export async function readModelsInUse(db: Queries): Promise<ModelsInUse> {
  const models = await readModels(db);
  const active = models.find(({ state }) => state === "active");
  if (!active) throw new ModelError("The database has no embedding model yet: npx aftercommit migrate");
  return { active, building: models.find(({ state }) => state === "building") };
}

/** Stops all requests to a model's provider for some seconds, after it failed whatever the text. */
export async function pauseModel(
  db: Queries,
  id: number,
  { seconds, reason }: { seconds: number; reason: string },
) {
  await db.execute(sql`
    update aftercommit.models set pause_reason = ${reason},
      paused_until = greatest(paused_until, clock_timestamp() + interval '1 second' * ${seconds})
    where id = ${id}`);
}

/** Stores the longest input of a model, so that later rows are split to fit. */
export async function learnMaxInputTokens(db: Queries, id: number, tokens: number): Promise<void> {
  await db.execute(sql`update aftercommit.models
    set max_input_tokens = least(max_input_tokens, ${tokens}::int) where id = ${id}`);
}
