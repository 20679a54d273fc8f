import type { Log } from "@aftercommit/local-shared/log.ts";
import type { Pool } from "pg";
import { attachTriggers } from "./capture/attach.ts";
import { readPublished } from "./capture/published.ts";
import type { Publication } from "./config/publication.ts";
import { parseTable, type Table, takesTable } from "./config/source.ts";
import type { Outlet } from "./outlets.ts";

/** Keeps the triggers where the sinks want them, also when tables appear, disappear or are recreated. */
export class Watch {
  readonly #pool: Pool;
  readonly #schema: string;
  readonly #outlets: Outlet[];
  readonly #publication: Publication | null;
  readonly #log: Log;
  /** The tables of the database that a backfill may read. */
  #readable = new Set<string>();
  #said = new Set<string>();

  constructor(pool: Pool, schema: string, outlets: Outlet[], publication: Publication | null, log: Log) {
    this.#pool = pool;
    this.#schema = schema;
    this.#outlets = outlets.filter(({ sink }) => sink.status !== "disabled");
    this.#publication = publication;
    this.#log = log;
  }

  /** Whether the table exists and, if its changes are wanted, they are already captured. */
  allowsBackfill(table: Table): boolean {
    return this.#readable.has(nameOf(table));
  }

  async update(): Promise<void> {
    const published = await readPublished(this.#pool, this.#publication);
    const wanted = (table: Table) =>
      published(table) && this.#outlets.some(({ sink }) => takesTable(sink.source, table));
    const present = await attachTriggers(this.#pool, this.#schema, wanted, this.#log);
    const readable = present.filter(({ table, captured }) => captured || !wanted(table));
    this.#readable = new Set(readable.map(({ table }) => nameOf(table)));
    this.#sayOnce(this.#outlets.flatMap((outlet) => this.#shortcomings(outlet, present, published)));
  }

  /** What a sink does not receive, and why. */
  #shortcomings(
    { sink }: Outlet,
    present: { table: Table }[],
    published: (table: Table) => boolean,
  ): string[] {
    const missing = (sink.source.includeTables ?? []).map(parseTable).flatMap((table) => {
      if (!present.some((one) => nameOf(one.table) === nameOf(table)))
        return [`${sink.name} gets nothing of ${nameOf(table)}: it is not in the database yet`];
      if (!published(table))
        return [
          `${sink.name} gets nothing of ${nameOf(table)}: ${this.#publication?.name} does not publish it`,
        ];
      return [];
    });
    if (missing.length > 0 || present.some(({ table }) => published(table) && takesTable(sink.source, table)))
      return missing;
    return [`${sink.name} gets nothing: none of its tables is in the database and in the publication`];
  }

  /** Logs what is new, and again what was fixed and is broken once more. */
  #sayOnce(lines: string[]): void {
    for (const line of lines) if (!this.#said.has(line)) this.#log(line);
    this.#said = new Set(lines);
  }
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`;
}
