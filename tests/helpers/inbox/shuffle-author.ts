import type { Client } from "pg";

type Row = { body: string; published: boolean } | undefined;

/** Someone who changes rows at random, several in one transaction. Each text is new. */
export class Author {
  changes = 0;
  readonly rows: Row[];
  readonly #chance: () => number;

  constructor(rows: number, chance: () => number) {
    this.rows = Array.from({ length: rows });
    this.#chance = chance;
  }

  #changed(id: number, before: Row): Row {
    const body = `row ${id}, change ${this.changes}`;
    const what = this.#chance();
    if (!before) return { body, published: true };
    // A row that is published again has lost its vectors: with the same text, it would be paid for twice.
    if (!before.published) return { body, published: what > 0.5 };
    if (what > 0.3) return { body, published: true };
    if (what > 0.2) return before;
    return what > 0.1 ? { ...before, published: false } : undefined;
  }

  /** One change in the open transaction of a session. */
  async change(client: Client, id: number): Promise<void> {
    this.changes += 1;
    const before = this.rows[id - 1];
    const row = this.#changed(id, before);
    this.rows[id - 1] = row;
    if (!row) await client.query("delete from notes where id = $1", [id]);
    else
      await client.query(
        `insert into notes values ($1, $2, $3)
         on conflict (id) do update set body = excluded.body, published = excluded.published`,
        [id, row.body, row.published],
      );
  }
}
