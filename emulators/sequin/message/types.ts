import type { Pool } from "pg";
import { z } from "zod";

/** A type as the caster sees it: a domain is already its base type. `name` is pg_type.typname, `_text` for text[]. */
export type Type = {
  name: string;
  delimiter: string;
  /** Sequin's table reader selects enums and domains whatever they contain. */
  anyEncoder: boolean;
};

const rows = z.array(
  z.object({ asked: z.coerce.number(), name: z.string(), delimiter: z.string(), anyEncoder: z.boolean() }),
);

const UNKNOWN: Type = { name: "text", delimiter: ",", anyEncoder: true };

/** Caches types by oid. An oid is never reused for another type while changes of its columns exist. */
export class TypeCatalog {
  readonly #known = new Map<number, Type>();
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Looks up unknown oids in the database; a dropped one is text. */
  async learn(oids: Iterable<number>): Promise<void> {
    const fresh = [...new Set(oids)].filter((oid) => !this.#known.has(oid));
    if (fresh.length === 0) return;
    const found = await this.#pool.query(
      `with recursive resolved as (
         select oid as asked, oid, typtype in ('d', 'e') as "anyEncoder" from pg_type where oid = any($1::oid[])
         union all
         select r.asked, t.typbasetype, r."anyEncoder" from resolved r join pg_type t on t.oid = r.oid where t.typtype = 'd'
       )
       select r.asked, t.typname as name, t.typdelim as delimiter, r."anyEncoder"
       from resolved r join pg_type t on t.oid = r.oid where t.typtype <> 'd'`,
      [fresh],
    );
    for (const oid of fresh) this.#known.set(oid, UNKNOWN);
    for (const { asked, ...type } of rows.parse(found.rows)) this.#known.set(asked, type);
  }

  get(oid: number): Type {
    return this.#known.get(oid) ?? UNKNOWN;
  }
}
