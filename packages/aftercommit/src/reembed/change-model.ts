import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.ts";
import { quotedColumn, tableSql } from "../db/identifiers.ts";
import type { Provider } from "../declare/provider.ts";
import { splitterOf } from "../embeddings/ask-model.ts";
import { rootMessageOf } from "../errors.ts";
import { keyWindows, within } from "../key-windows.ts";
import { CHUNKER } from "../models/defaults.ts";
import { indexTypeOf } from "../models/index-type.ts";
import { type Model, readModels } from "../models/models.ts";
import { embedTexts, type ProviderModel } from "../providers/embed-texts.ts";
import { limitsOf } from "../providers/limits.ts";
import { pack } from "../providers/pack.ts";
import { providerOf } from "../providers/provider-of.ts";
import { type EmbeddingSource, type Queries, rowIdColumn, rowsSql } from "../source.ts";

/** A change of the model cannot start or end now; the message says why. */
export class ModelChangeError extends Error {
  override readonly name = "ModelChangeError";
}

// The number of rows that a new model is tried on: the longest of a sample.
const TRIED = 3;
const LOOKED_AT = 2_000;
const TRIED_PASSAGES = 20;

/** The width of a model's vectors by default. */
async function widthOf(provider: Provider, name: string): Promise<number> {
  const model = { name, dimensions: undefined, dimensionsAsked: false };
  const [outcome] = (await embedTexts(provider, model, ["ok"], { purpose: "passage" })).outcomes;
  if (!outcome || "failed" in outcome)
    throw new ModelChangeError(outcome?.failed ?? `${name} does not answer`);
  return outcome.vector.length;
}

/**
 * Requests a model's vectors for real rows, the longest among them: what the model rejects now would fail for every
 * row.
 */
async function tryModel(
  db: Queries,
  sources: readonly EmbeddingSource[],
  { provider, model }: { provider: Provider; model: ProviderModel },
): Promise<void> {
  const limits = limitsOf(provider);
  const inputs = [{ input: "ok", tokens: 1 }];
  for (const { declaration } of sources) {
    const { rows } = await db.execute<{ text: string; title: string | null }>(sql`
      select text, title from (select r.text, r.title from ${rowsSql(declaration)} r where r.included limit ${LOOKED_AT}) s
      where text is not null order by length(text) desc limit ${TRIED}`);
    const split = splitterOf(declaration, provider);
    for (const { text, title } of rows)
      inputs.push(...split({ text, title: title ?? "" }, limits.tokensPerInput).slice(0, TRIED_PASSAGES));
  }
  try {
    for (const request of pack(inputs, limits)) {
      const texts = request.map(({ input }) => input);
      const { outcomes } = await embedTexts(provider, model, texts, { purpose: "passage" });
      for (const outcome of outcomes) if ("failed" in outcome) throw new ModelChangeError(outcome.failed);
    }
  } catch (cause) {
    throw new ModelChangeError(`${model.name} does not embed the rows as they are: ${rootMessageOf(cause)}`, {
      cause,
    });
  }
}

/** The command that starts a model, or resumes it. */
export const reembedCommand = ({ provider, name, dimensions, dimensionsAsked }: Model) =>
  `npx aftercommit reembed --model ${name} --provider ${provider}${dimensionsAsked ? ` --dimensions ${dimensions}` : ""}`;

/** A requested model; with `dimensions` undefined, its own width. */
export type WantedModel = { provider: string; name: string; dimensions: number | undefined };

/**
 * Registers a model next to the active one, or resumes it where it stopped. Undefined if it is already active. Rejects
 * with ModelChangeError if another model is being built, or if the model rejects rows of these tables, and with
 * ModelError if its vectors are too wide for an index: nothing is registered then.
 */
export async function beginModel(
  db: Database,
  sources: readonly EmbeddingSource[],
  { name, dimensions: asked, provider: providerName }: WantedModel,
): Promise<{ from: Model | undefined; to: Model } | undefined> {
  const [provider] = sources.map(({ declaration }) =>
    providerOf(declaration, { name, provider: providerName }),
  );
  if (!provider) throw new ModelChangeError("No table is embedded");
  const dimensions = asked ?? (await widthOf(provider, name));
  const isWanted = (model: Model) =>
    model.provider === providerName &&
    model.name === name &&
    model.dimensions === dimensions &&
    model.chunker === CHUNKER;
  const models = await readModels(db);
  const from = models.find(({ state }) => state === "active");
  if (from && isWanted(from)) return undefined;
  const building = models.find(({ state }) => state === "building");
  if (building && !isWanted(building))
    throw new ModelChangeError(
      `${building.name} is being built: finish that by ${reembedCommand(building)}, or give it up by npx aftercommit reembed --stop`,
    );
  if (!building) {
    const dimensionsAsked = asked !== undefined;
    const preferred = from?.indexType ?? "halfvec";
    const indexType = indexTypeOf(
      { name, dimensions },
      { preferred, remedy: "ask for fewer by --dimensions" },
    );
    await tryModel(db, sources, { provider, model: { name, dimensions, dimensionsAsked } });
    await db.execute(sql`
      insert into aftercommit.models (provider, name, dimensions, dimensions_asked, chunker, state, index_type)
      values (${providerName}, ${name}, ${dimensions}, ${dimensionsAsked}, ${CHUNKER}, 'building',
        ${indexType})
      on conflict (provider, name, dimensions, chunker) do update set state = 'building', completed_at = null,
        dimensions_asked = excluded.dimensions_asked, paused_until = null, pause_reason = null`);
  }
  const to = (await readModels(db)).find(isWanted);
  if (!to) throw new ModelChangeError(`${name} was not registered`);
  return { from, to };
}

/**
 * Puts all rows that a model lacks, or has of another text than the active one, into the inbox, in windows of keys.
 * Rows that are already there get a new version: their workers may not know the model yet.
 */
export async function enqueueRows(
  db: Queries,
  source: EmbeddingSource,
  { from, to }: { from: Model | undefined; to: Model },
): Promise<void> {
  const { declaration, name } = source;
  const { table, key } = declaration;
  const rowId = rowIdColumn(declaration);
  const embeddings = tableSql(declaration.embeddings);
  const all = sql`${tableSql(table)} where true`;
  for await (const window of keyWindows(db, source, [{ key: sql.raw(quotedColumn(key)), from: all }]))
    await db.execute(sql`
      insert into aftercommit.pending as p (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt)
      select ${name}, r.id::text, 'batch', nextval('aftercommit.pending_version'), clock_timestamp(), '0'::xid8,
        clock_timestamp()
      from ${rowsSql(declaration)} r
      where ${within(sql`r.id`, source, window)} and r.included and not exists (
        select from ${embeddings} b where b.${rowId} = r.id and b.model_id = ${to.id} and b.chunk = 0
          and ${within(sql`b.${rowId}`, source, window)} and not exists (
          select from ${embeddings} a where a.${rowId} = r.id and a.model_id = ${from?.id ?? 0} and a.chunk = 0
            and a.text_hash <> b.text_hash))
      order by r.id::text collate "C"
      on conflict (source, row_id) do update set version = excluded.version`);
}

/**
 * Rows that are complete in one model and missing, or of another text, in the other: search would no longer find them.
 */
const lacking = ({ declaration }: EmbeddingSource, from: number, to: number): SQL => {
  const rowId = rowIdColumn(declaration);
  const embeddings = tableSql(declaration.embeddings);
  return sql`
    select a.${rowId}::text as id from ${embeddings} a
    where a.model_id = ${from} and a.chunk = 0 and not exists (
      select from ${embeddings} b where b.${rowId} = a.${rowId} and b.model_id = ${to} and b.chunk = 0
        and b.text_hash = a.text_hash)`;
};

export type Lacking = { source: string; rows: number; examples: { id: string; error: string | null }[] };

/** How many rows of each table a model would lose, with some of them and why. */
export async function rowsLacking(
  db: Queries,
  sources: readonly EmbeddingSource[],
  { from, to }: { from: Model; to: Model },
): Promise<Lacking[]> {
  const found: Lacking[] = [];
  for (const source of sources) {
    const { rows } = await db.execute<{ id: string; error: string | null; rows: number }>(sql`
      select l.id, p.error, count(*) over ()::int as rows from (${lacking(source, from.id, to.id)}) l
      left join aftercommit.pending p on p.source = ${source.name} and p.row_id = l.id limit 10`);
    const examples = rows.map(({ id, error }) => ({ id, error }));
    if (rows[0]) found.push({ source: source.name, rows: rows[0].rows, examples });
  }
  return found;
}

/** Records that a model has had every row. From now on edits write it as well, or a busy table could never switch. */
export async function completeModel(db: Queries, { id }: Model): Promise<void> {
  await db.execute(
    sql`update aftercommit.models set completed_at = coalesce(completed_at, now()) where id = ${id}`,
  );
}

/**
 * Makes a model that is being built the active one, and keeps the previous one. Search sees one or the other. The
 * switch locks the models, which every write shares, so no row is written while it decides. Rejects with
 * ModelChangeError if search would lose rows, unless they are at most `acceptMissing`, or if the model is no longer
 * being built.
 */
export async function switchModel(
  db: Database,
  sources: readonly EmbeddingSource[],
  { from, to, acceptMissing = 0 }: { from: Model | undefined; to: Model; acceptMissing?: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ id: number; state: string }>(
      sql`select id, state from aftercommit.models order by id for update`,
    );
    if (!rows.some(({ id, state }) => id === to.id && state === "building"))
      throw new ModelChangeError(`${to.name} is not being built any more`);
    const left = from ? await rowsLacking(tx, sources, { from, to }) : [];
    const missing = left.reduce((sum, { rows }) => sum + rows, 0);
    if (missing > acceptMissing) throw new ModelChangeError(describe(to, left));
    await tx.execute(sql`update aftercommit.models set state = 'retired' where state = 'active'`);
    await tx.execute(
      sql`update aftercommit.models set state = 'active', activated_at = now() where id = ${to.id}`,
    );
  });
}

/** Names the rows that prevent the switch to a model, and why. */
export function describe({ name }: Model, left: readonly Lacking[]): string {
  const all = left.reduce((sum, { rows }) => sum + rows, 0);
  const lines = left.flatMap(({ source, examples }) =>
    examples.map(({ id, error }) => `  ${source} ${id}: ${error ?? "not embedded yet"}`),
  );
  return `${all} rows that search finds now have no vectors by ${name}:\n${lines.join("\n")}\nTo switch without them: --accept-missing ${all}`;
}

/** Stops building a model: it is retired, and can be resumed. */
export async function stopBuilding(db: Queries): Promise<void> {
  await db.execute(sql`update aftercommit.models set state = 'retired' where state = 'building'`);
}
