import type { Pool } from "pg";
import type { Log } from "../log.ts";
import { attachTriggers } from "./capture/attach.ts";
import { parseTable, type Table, takesTable } from "./config/source.ts";
import type { Outlet } from "./outlets.ts";

/** Keeps the triggers where the sinks want them, also when tables appear, vanish or are made again. */
export class Watch {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #outlets: Outlet[];
  readonly #log: Log;
  #watched = new Set<string>();
  readonly #missing = new Set<string>();

  constructor(pool: Pool, schema: string, outlets: Outlet[], log: Log) {
    this.#pool = pool;
    this.#schema = schema;
    this.#outlets = outlets.filter(({ sink }) => sink.status !== "disabled");
    this.#log = log;
  }

  /** Whether the table exists and its changes are captured. */
  watches(table: Table): boolean {
    return this.#watched.has(nameOf(table));
  }

  async update(): Promise<void> {
    const wanted = (table: Table) => this.#outlets.some(({ sink }) => takesTable(sink.source, table));
    this.#watched = new Set((await attachTriggers(this.#pool, this.#schema, wanted, this.#log)).map(nameOf));
    for (const reference of this.#outlets.flatMap(({ sink }) => sink.source.includeTables ?? [])) {
      const table = nameOf(parseTable(reference));
      if (this.#watched.has(table)) this.#missing.delete(table);
      else if (!this.#missing.has(table)) {
        this.#missing.add(table);
        this.#log(`waiting for table ${table}`);
      }
    }
  }
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`;
}
