import type { Model } from "../models/models.ts";
import type { Outcome } from "../providers/embed-inputs.ts";
import type { EmbeddingSource } from "../source.ts";
import { type Passage, passages } from "./passages.ts";
import type { PresentRow } from "./read-rows.ts";
import type { EmbeddedPassage } from "./write-rows.ts";

// What half precision holds; cosine distance of a zero vector is no number.
const MOST = 65_504;

function problemOf(vector: Float32Array): string | undefined {
  if (vector.every((value) => value === 0)) return "the provider answered a zero vector";
  return vector.every((value) => Math.abs(value) <= MOST)
    ? undefined
    : `the provider answered a value over ${MOST}`;
}

/** What one model has to make for one row. */
export class Job {
  readonly model: Model;
  readonly passages: readonly Passage[];
  /** Why there will be no vectors of this text by this model now. */
  error: string | undefined;
  readonly #vectors = new Map<Passage, Float32Array>();

  constructor(model: Model, passages: readonly Passage[]) {
    this.model = model;
    this.passages = passages;
  }

  get isComplete(): boolean {
    return this.error === undefined && this.#vectors.size === this.passages.length;
  }

  get isDone(): boolean {
    return this.isComplete || this.error !== undefined;
  }

  get vectors(): EmbeddedPassage[] {
    return this.passages.flatMap((passage) => {
      const vector = this.#vectors.get(passage);
      return vector ? [{ ...passage, vector }] : [];
    });
  }

  /** Takes what the provider made of one passage. */
  take(passage: Passage, outcome: Outcome): void {
    const problem = "failed" in outcome ? outcome.failed : problemOf(outcome.vector);
    if (problem !== undefined) this.error ??= problem;
    else if ("vector" in outcome) this.#vectors.set(passage, outcome.vector);
  }
}

/** What the models lack of a row's present text; a blank one is marked, and needs no provider. */
export function jobsOf(row: PresentRow, models: readonly Model[], { declaration }: EmbeddingSource): Job[] {
  if (row.state === "absent" || row.state === "excluded") return [];
  const missing = models.filter(({ id }) => !row.upToDate.has(id));
  if (missing.length === 0) return [];
  const made = passages(row.text, { title: row.title, maxTokens: declaration.chunkTokens });
  return missing.map((model) => new Job(model, made));
}
