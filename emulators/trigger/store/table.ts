import type { z } from "zod";
import type { LevelStore } from "./level-store.ts";

/** Records of one kind, all in memory. A changed record is saved with the store's next batch. */
export class Table<T extends { id: string }> {
  readonly name: string;
  readonly #schema: z.ZodType<T>;
  readonly #store: LevelStore;
  readonly #rows = new Map<string, T>();
  readonly #revisions = new Map<string, number>();
  #revision = 0;

  constructor(name: string, schema: z.ZodType<T>, store: LevelStore) {
    this.name = name;
    this.#schema = schema;
    this.#store = store;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): T | undefined {
    return this.#rows.get(id);
  }

  values(): MapIterator<T> {
    return this.#rows.values();
  }

  /** The number of saves since the start, of the whole table, or at a row's last save. */
  revision(id?: string): number {
    return id === undefined ? this.#revision : (this.#revisions.get(id) ?? 0);
  }

  save(row: T): void {
    this.#rows.set(row.id, row);
    this.#revision += 1;
    this.#revisions.set(row.id, this.#revision);
    this.#mark(row.id);
  }

  remove(id: string): void {
    this.#revisions.delete(id);
    if (this.#rows.delete(id)) this.#mark(id);
  }

  /** Loads one stored value; throws if it does not have the shape that this version writes. */
  load(json: string): void {
    const row = this.#schema.parse(JSON.parse(json));
    this.#rows.set(row.id, row);
  }

  #mark(id: string): void {
    this.#store.mark(`${this.name}!${id}`, () => {
      const row = this.#rows.get(id);
      return row && JSON.stringify(row);
    });
  }
}
