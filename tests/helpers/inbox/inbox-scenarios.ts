import type { Gate, Lane } from "./inbox-gated-worker.ts";

/** A row in someone's table; undefined if it does not exist. */
export type Row = { text: string; published: boolean } | undefined;
/** What a statement makes of a row; `to` gives it another key. */
export type Change = { row: number; becomes: Row; to?: number };

/** What may happen, in any possible order. A message follows each statement of a transaction. */
export type Scenario = {
  name: string;
  rows: readonly Row[];
  transactions: readonly (readonly Change[])[];
  /** Messages that are delivered a second time. */
  repeats?: number;
  /** The kind of each worker: a run of the drain, a run for one edit, or either. */
  workers?: readonly (readonly Lane[])[];
  crashes?: number;
  /** Leases that end while their workers live. */
  expiries?: number;
  refusals?: number;
  reconciliations?: number;
  /** Whether a second model is being built, or will be registered. */
  model?: "building" | "to begin";
  gates?: readonly Gate[];
};

const row = (text: string, published = true): Row => ({ text, published });
const is = (text: string, published = true, number = 0): Change => ({
  row: number,
  becomes: row(text, published),
});
const isDeleted: Change = { row: 0, becomes: undefined };
const one = [row("a")];

const programs: Readonly<Record<string, Change[][]>> = {
  "edit, edit": [[is("b")], [is("c")]],
  "edit, and back": [[is("b")], [is("a")]],
  unpublish: [[is("a", false)]],
  "edit twice in one transaction": [[is("b"), is("c")]],
  "touch, then edit, in one transaction": [[is("a"), is("b")]],
  "delete and insert in one transaction": [[isDeleted, is("b")]],
  "delete, insert": [[isDeleted], [is("b")]],
  "unpublish, edit, publish": [[is("a", false)], [is("b", false)], [is("b")]],
};

const EITHER: readonly Lane[] = ["batch", "realtime"];

/** The model checker's scenarios, with the inbox's rules (docs/architecture.md). */
export const scenarios: readonly Scenario[] = [
  ...Object.entries(programs).flatMap(([name, transactions]): Scenario[] => [
    { name, rows: one, transactions, repeats: 1 },
    {
      name: `${name}; two workers, a crash, an expired lease`,
      rows: one,
      transactions,
      workers: [["batch"], ["realtime"]],
      crashes: 1,
      expiries: 1,
    },
  ]),
  {
    name: "edit, edit; two workers, who outlive their leases",
    rows: one,
    transactions: [[is("b")], [is("c")]],
    repeats: 1,
    workers: [["batch"], ["realtime"]],
  },
  { name: "publish what was excluded", rows: [row("a", false)], transactions: [[is("a")]], repeats: 1 },
  {
    name: "a failure, and a newer version",
    rows: one,
    transactions: [[is("b")], [is("c")]],
    refusals: 1,
  },
  {
    name: "another key",
    rows: [row("a"), undefined],
    transactions: [[{ row: 0, becomes: row("a"), to: 1 }]],
    repeats: 1,
    workers: [["batch"], ["realtime"]],
  },
  {
    name: "reconciliation and messages",
    rows: one,
    transactions: [[is("b")]],
    repeats: 1,
    reconciliations: 1,
    workers: [["batch"], ["realtime"]],
  },
  {
    name: "an edit while a model is built, and the switch",
    rows: one,
    transactions: [[is("b")]],
    workers: [EITHER, EITHER],
    expiries: 1,
    reconciliations: 1,
    model: "building",
    gates: ["models", "read", "ask", "write"],
  },
  {
    name: "a model begins, an edit, the switch",
    rows: one,
    transactions: [[is("b")]],
    workers: [EITHER, EITHER],
    model: "to begin",
    gates: ["models", "read", "ask", "write"],
  },
  {
    name: "insert, delete, and the switch",
    rows: [undefined],
    transactions: [[is("b")], [isDeleted]],
    workers: [EITHER, EITHER],
    model: "building",
    gates: ["models", "read", "ask", "write"],
  },
];
