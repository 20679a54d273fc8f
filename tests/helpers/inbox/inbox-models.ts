import { readModels } from "../../../packages/aftercommit/src/models/models.ts";
import {
  beginModel,
  completeModel,
  enqueueRows,
  ModelChangeError,
  rowsLacking,
  switchModel,
} from "../../../packages/aftercommit/src/reembed/change-model.ts";
import type { Scenario } from "./inbox-scenarios.ts";
import { readState, type State } from "./inbox-state.ts";
import { type Sessions, type Step, step } from "./inbox-step.ts";
import { DIMENSIONS, provider, sourceEmbeddedBy } from "./notes.ts";

/** A second model that is registered, built and switched to. */
export class ModelChange {
  stage: Scenario["model"] | "begun";
  readonly #sessions: Sessions;
  /** Everything that was requested from the earlier models is requested again, from those that are now in use. */
  readonly #onChange: () => void;

  constructor({ model }: Scenario, sessions: Sessions, onChange: () => void) {
    this.stage = model;
    this.#sessions = sessions;
    this.#onChange = onChange;
  }

  async #models() {
    const models = await readModels(this.#sessions.db);
    const [from, to] = ["first", "second"].map((name) => models.find((model) => model.name === name));
    if (!from || !to) throw new Error("There are no two models");
    return { from, to };
  }

  steps({ models }: State): Step[] {
    const isOver = models.some(({ name, state }) => name === "second" && state === "active");
    if (this.stage === undefined || isOver) return [];
    if (this.stage === "to begin") return [step("a model begins", () => this.#begin())];
    if (this.stage === "begun")
      return [step("all rows go into the inbox for the model", () => this.#enqueue())];
    return [
      step("the model is looked at", () => this.#complete(), true),
      step("the switch", () => this.#switch(), true),
    ];
  }

  async #begin(): Promise<void> {
    const { db, source } = this.#sessions;
    const wanted = { provider: "openai", name: "second", dimensions: DIMENSIONS };
    await beginModel(db, [sourceEmbeddedBy(provider(), source)], wanted);
    this.stage = "begun";
    this.#onChange();
  }

  async #enqueue(): Promise<void> {
    const { db, source } = this.#sessions;
    await enqueueRows(db, source, await this.#models());
    this.stage = "building";
  }

  async #complete(): Promise<void> {
    const { db, source } = this.#sessions;
    const models = await this.#models();
    if ((await rowsLacking(db, [source], models)).length === 0) await completeModel(db, models.to);
  }

  /** No row that search found before may be missing afterwards, or be found by another text. */
  async #switch(): Promise<void> {
    const { db, source } = this.#sessions;
    try {
      await switchModel(db, [source], await this.#models());
    } catch (error) {
      if (error instanceof ModelChangeError) return;
      throw error;
    }
    this.#onChange();
    const { vectors } = await readState(db);
    const textsOf = (name: string) =>
      vectors.filter(({ model }) => model === name).map(({ rowId, text }) => `${rowId}: ${text}`);
    const missing = textsOf("first").filter((text) => !textsOf("second").includes(text));
    if (missing.length > 0) throw new Error(`The switch loses ${missing}`);
  }
}
