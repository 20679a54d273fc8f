import { type SQL, sql } from "drizzle-orm";
import { tableSql } from "../db/identifiers.ts";
import type { EmbeddingDeclaration } from "../declare/declaration.ts";
import { InvalidMessageError } from "../errors.ts";
import { canonicalKey } from "../ingress/row-id.ts";
import type { Model } from "../models/models.ts";
import { type KeyType, rowIdColumn, rowsSql } from "../source.ts";
import { withActiveModel } from "./active-model.ts";
import { beginReading, rowsOf, type SearchConnection } from "./connection.ts";
import { filterSql, tenantSql } from "./filters.ts";
import { checkSimilarOptions, RowNotFoundError, type SimilarOptions } from "./options.ts";
import { pageOf, type SearchPage } from "./page.ts";
import { hasId, rank } from "./rank.ts";

type Own = {
  tenant: SQL | undefined;
  declaration: EmbeddingDeclaration;
  model: Model;
  id: string;
  keyType: KeyType;
};

function idOf(id: string, { declaration, keyType }: Pick<Own, "declaration" | "keyType">): string {
  try {
    return canonicalKey(id, keyType);
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    throw new RowNotFoundError(`id: there is no ${declaration.row} ${id}`, { cause: error });
  }
}

/** The mean of a row's own vectors, which says what the whole row is about. */
async function readOwnVector(client: SearchConnection, own: Own): Promise<Float32Array> {
  const { declaration, model, id, tenant } = own;
  const itself = hasId(own, [id]);
  const [row] = await rowsOf<{ vector: string | null }>(
    client,
    sql`
      select (select avg(l2_normalize(e.embedding::vector))::text from ${tableSql(declaration.embeddings)} e
        where e.${rowIdColumn(declaration)} = r.id and e.model_id = ${model.id} and e.embedding is not null) as vector
      from ${rowsSql(declaration, tenant ? sql`${itself} and ${tenant}` : itself)} r where r.included`,
  );
  if (!row) throw new RowNotFoundError(`id: there is no ${declaration.row} ${id}`);
  if (row.vector === null)
    throw new RowNotFoundError(`id: ${declaration.row} ${id} is not embedded yet, or its text is blank`);
  return Float32Array.from(JSON.parse(row.vector));
}

/**
 * Finds the rows of an embedded table that are nearest in meaning to one of its rows, nearest first and without that
 * row. It compares vectors that are there already, so no provider is called.
 * Rejects with InvalidSearchError if an option is invalid, with RowNotFoundError if there is no such row or it has no
 * vectors, and with SearchUnavailableError if the database does not answer within 5 seconds.
 *
 * @param id The row's key, as text.
 * @param db Your own connection, as for {@link search}.
 * @example
 * const { results } = await similar(posts, "17", { where: { author: "Jane" }, limit: 5 });
 */
export async function similar(
  declaration: EmbeddingDeclaration,
  id: string,
  options: SimilarOptions = {},
  { db }: { db?: SearchConnection } = {},
): Promise<SearchPage> {
  const checked = checkSimilarOptions(declaration, options);
  const filter = filterSql(declaration, checked.where);
  const tenant = tenantSql(declaration, checked.where);
  const identity = [declaration.row, "similar", id, checked.where, checked.minScore];
  const reading = beginReading(db);
  const page = pageOf({ ...checked, ...reading, declaration, identity });
  return withActiveModel(
    (model) =>
      page(async (client, { keyType, limit }) => {
        const own = { tenant, declaration, model, keyType, id: idOf(id, { declaration, keyType }) };
        const vector = await readOwnVector(client, own);
        // The row itself is the nearest, or would be: without a condition that excludes it, the index finds as many.
        const found = await rank(client, {
          declaration,
          keyType,
          filter,
          limit: limit + 1,
          words: undefined,
          meaning: { vector, model, weight: 1 },
        });
        return { rows: found.filter((row) => row.id !== own.id).slice(0, limit), terms: [] };
      }),
    reading,
  );
}
