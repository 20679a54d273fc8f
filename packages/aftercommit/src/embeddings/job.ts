import type { Outcome } from "../declare/provider.ts";
import type { Model } from "../models/models.ts";
import type { Passage } from "./passages.ts";
import type { PresentRow } from "./read-rows.ts";
import type { EmbeddedPassage } from "./write-rows.ts";

export class Job {
  readonly model: Model;
  readonly row: PresentRow;
  /** Why this text gets no vectors from this model now. */
  error: string | undefined;
  /** The longest input for this text, if shorter than for others. */
  maxInputTokens = Number.POSITIVE_INFINITY;
  /** Undefined until the model's longest input is known. */
  #passages: readonly Passage[] | undefined;
  readonly #vectors = new Map<Passage, Float32Array>();

  constructor(model: Model, row: PresentRow) {
    this.model = model;
    this.row = row;
    // A blank text is marked, and needs no provider.
    if (row.state === "blank") this.#passages = [];
  }

  get isComplete(): boolean {
    return (
      this.error === undefined && this.#passages !== undefined && this.#vectors.size === this.#passages.length
    );
  }

  get isDone(): boolean {
    return this.isComplete || this.error !== undefined;
  }

  get vectors(): EmbeddedPassage[] {
    return (this.#passages ?? []).flatMap((passage) => {
      const vector = this.#vectors.get(passage);
      return vector ? [{ ...passage, vector }] : [];
    });
  }

  get left(): Passage[] {
    return this.isDone ? [] : (this.#passages ?? []).filter((passage) => !this.#vectors.has(passage));
  }

  /** Splits the text, unless it is split and every passage fits the model. */
  plan(mostOfModel: number, split: (row: PresentRow, maxInputTokens: number) => readonly Passage[]): void {
    const most = Math.min(mostOfModel, this.maxInputTokens);
    if (this.#passages?.every(({ tokens }) => tokens <= most)) return;
    this.#passages = split(this.row, most);
    this.#vectors.clear();
  }

  take(passage: Passage, outcome: Outcome): void {
    if ("failed" in outcome) this.error ??= outcome.failed;
    else this.#vectors.set(passage, outcome.vector);
  }
}

export function jobsOf(row: PresentRow, models: readonly Model[]): Job[] {
  if (row.state !== "text" && row.state !== "blank") return [];
  return models.filter(({ id }) => !row.upToDate.has(id)).map((model) => new Job(model, row));
}
