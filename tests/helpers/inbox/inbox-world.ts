import { reconcile } from "../../../packages/aftercommit/src/embeddings/reconcile.ts";
import { Authors } from "./inbox-authors.ts";
import { type Gate, GatedWorker, type Lane } from "./inbox-gated-worker.ts";
import { ModelChange } from "./inbox-models.ts";
import type { Row, Scenario } from "./inbox-scenarios.ts";
import { readState, type State } from "./inbox-state.ts";
import { rowIdOf, type Sessions, type Step, step } from "./inbox-step.ts";

const GATES: readonly Gate[] = ["read", "ask", "write"];

/** A running scenario on a real database: what has happened, and what can happen next. */
export class World {
  readonly scenario: Scenario;
  /** How often the provider was asked for each text, by each model. */
  readonly asks = new Map<string, number>();
  /** How many events may cause a text to be paid for twice. */
  excuses = 0;
  readonly #sessions: Sessions;
  readonly #authors: Authors;
  readonly #models: ModelChange;
  readonly #workers: GatedWorker[];
  /** What each worker that has read its rows may know. */
  readonly #known = new Map<GatedWorker, object>();
  readonly #left: Record<"crashes" | "expiries" | "refusals" | "reconciliations", number>;
  #state: State | undefined;

  constructor(scenario: Scenario, sessions: Sessions) {
    const { workers = [["batch"]], gates = GATES } = scenario;
    const { crashes = 0, expiries = 0, refusals = 0, reconciliations = 0 } = scenario;
    this.scenario = scenario;
    this.#sessions = sessions;
    this.#authors = new Authors(scenario, sessions);
    this.#models = new ModelChange(scenario, sessions, () => {
      this.excuses += this.#workers.filter(({ at }) => at !== undefined).length;
    });
    this.#left = { crashes, expiries, refusals, reconciliations };
    const { db, source } = sessions;
    const onAsk = (ask: string) => void this.asks.set(ask, (this.asks.get(ask) ?? 0) + 1);
    this.#workers = workers.map(() => new GatedWorker({ db, source, gates: new Set(gates), onAsk }));
  }

  get rows(): readonly Row[] {
    return this.#authors.rows;
  }

  /** Whether everything that was committed is visible, and everything that was sent has been accepted. */
  get isSettled(): boolean {
    return this.#authors.isSettled;
  }

  async look(): Promise<void> {
    this.#state = await readState(this.#sessions.db);
  }

  get state(): State {
    if (!this.#state) throw new Error("Nobody has looked yet");
    return this.#state;
  }

  /** Everything that decides what can happen from here on. */
  key(): string {
    const { entries, vectors, words, models } = this.state;
    const owner = (token: string | null) =>
      token && this.#workers.findIndex((worker) => worker.token === token);
    return JSON.stringify([
      this.#authors.key(),
      this.#left,
      this.#models.stage,
      models,
      vectors,
      words,
      entries.map(({ rowId, queue, lease, isDue, error, acceptedXid, settleXid }) => [
        [rowId, queue, owner(lease), isDue, error],
        this.#authors.before(acceptedXid),
        settleXid === null ? null : this.#authors.before(settleXid),
      ]),
      this.#workers.map((worker) => [
        [worker.at, worker.lane, worker.passed, this.#known.get(worker)],
        worker.entries.map(({ rowId, version, acceptedXid }) => {
          const entry = entries.find((each) => each.rowId === rowId);
          return [rowId, entry?.version === version, this.#authors.before(BigInt(acceptedXid))];
        }),
      ]),
    ]);
  }

  steps(): Step[] {
    return [
      ...this.#authors.steps(),
      ...this.#ofEntries(),
      ...this.#workers.flatMap((worker, n) => this.#ofWorker(worker, `worker ${n + 1}`, n)),
      ...this.#models.steps(this.state),
    ];
  }

  #ofEntries(): Step[] {
    const { db, source } = this.#sessions;
    const steps = this.state.entries.flatMap(({ rowId, lease, isDue, error }) => {
      const isHeld = this.#workers.some(({ token }) => token !== undefined && token === lease);
      const pass = async () => {
        await db.execute(`update aftercommit.pending set next_attempt = clock_timestamp() - interval '1 s'
          where row_id = '${rowId}'`);
        if (!isHeld) return;
        this.#left.expiries -= 1;
        this.excuses += 1;
      };
      if (isDue || (isHeld && this.#left.expiries === 0)) return [];
      if (lease !== null) return [step(`the lease of row ${rowId} expires`, pass, isHeld)];
      return error === null ? [] : [step(`the hour of row ${rowId} is over`, pass)];
    });
    if (this.#left.reconciliations === 0) return steps;
    const full = async () => {
      this.#left.reconciliations -= 1;
      await reconcile(db, source, { full: true });
    };
    return [...steps, step("a reconciliation", full, true)];
  }

  #ofWorker(worker: GatedWorker, name: string, n: number): Step[] {
    const gate = worker.at;
    if (gate === undefined) return this.#leases(worker, name, this.scenario.workers?.[n] ?? ["batch"]);
    const crash = async () => {
      this.#left.crashes -= 1;
      this.excuses += 1;
      this.#known.delete(worker);
      worker.crash();
    };
    const refuse = async () => {
      this.#left.refusals -= 1;
      worker.isRefused = true;
      await this.#goOn(worker, gate);
    };
    return [
      step(`${name}: ${gate}`, () => this.#goOn(worker, gate)),
      ...(this.#left.crashes > 0 ? [step(`${name} crashes before its ${gate}`, crash, true)] : []),
      ...(gate === "ask" && this.#left.refusals > 0
        ? [step(`the provider refuses the text of ${name}`, refuse, true)]
        : []),
    ];
  }

  #leases(worker: GatedWorker, name: string, lanes: readonly Lane[]): Step[] {
    const isLeasable = this.state.entries.some(
      ({ isDue, settleXid }) => isDue && (settleXid === null || this.#authors.before(settleXid).length === 0),
    );
    if (!isLeasable) return [];
    const rowIds = this.rows.map((_, row) => rowIdOf(row));
    return lanes.map((lane) =>
      step(`${name} (${lane}) leases`, async () => {
        if (!(await worker.start(lane, rowIds))) throw new Error(`${name} found nothing to lease`);
      }),
    );
  }

  async #goOn(worker: GatedWorker, gate: Gate): Promise<void> {
    const known = this.#known.get(worker);
    if (gate === "models") this.#known.set(worker, { models: this.state.models });
    if (gate === "read") {
      const { models, vectors, words } = this.state;
      const waits = worker.entries.map(
        ({ acceptedXid }) => this.#authors.before(BigInt(acceptedXid)).length > 0,
      );
      const read = { rows: [...this.rows], touched: this.#authors.touched(), waits, vectors, words };
      this.#known.set(worker, { models, ...known, read });
    }
    await worker.step();
    if (worker.at === undefined) this.#known.delete(worker);
  }
}
