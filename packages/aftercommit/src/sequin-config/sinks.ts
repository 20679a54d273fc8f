import { spelled } from "../catalog/problem.ts";
import type { Declaration } from "../declare/declaration.ts";
import { routeOf } from "../declare/names.ts";
import { freeName } from "./document.ts";

/** The most messages in one request. Sequin closes a batch 5 ms after its first message, so an edit arrives alone. */
const BATCH_SIZE = 500;

/** What sequin.yaml must contain for a declared table. */
export type WantedSink = { path: string; tables: string[]; actions: string[] };

export function wantedSink(declaration: Declaration): WantedSink {
  const { kind, table } = declaration;
  const actions =
    kind === "deletion" && declaration.when === "delete"
      ? ["delete"]
      : kind === "trigger"
        ? [...declaration.actions]
        : ["insert", "update", "delete"];
  return { path: routeOf(declaration), tables: [spelled(table)], actions };
}

function nameOf(declaration: Declaration): string {
  if (declaration.kind === "embedding") return `${declaration.rows}-embedding`;
  return declaration.kind === "deletion"
    ? `${declaration.row}s-deletion`
    : `${declaration.row}-${declaration.task}`;
}

/** A new sink for a declaration. */
export function newSink(
  declaration: Declaration,
  { database, endpoint, names }: { database: string; endpoint: string; names: readonly string[] },
) {
  const { path, tables, actions } = wantedSink(declaration);
  const inBatches = declaration.kind !== "deletion";
  return {
    name: freeName(nameOf(declaration), names),
    database,
    source: { include_tables: tables },
    actions,
    // Existing rows are sent once, as `read` messages.
    ...(declaration.kind === "embedding" ? { initial_backfill: true } : {}),
    destination: { type: "webhook", http_endpoint: endpoint, http_endpoint_path: path, batch: inBatches },
    ...(inBatches ? { batch_size: BATCH_SIZE } : {}),
  };
}
