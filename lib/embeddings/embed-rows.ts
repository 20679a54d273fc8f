import type { Database } from "../../drizzle/client.ts";
import type { EmbeddedTable } from "../../drizzle/embedded-table.ts";
import { recordRefusals } from "../../drizzle/queries/embeddings/failures.ts";
import type { EmbeddingModel } from "../../drizzle/queries/embeddings/models.ts";
import { type EmbeddedRow, replaceEmbeddings } from "../../drizzle/queries/embeddings/replace-embeddings.ts";
import { type RowToEmbed, readRowsToEmbed } from "../../drizzle/queries/embeddings/rows-to-embed.ts";
import { database } from "../database.ts";
import { embedInputs } from "./embed-inputs.ts";
import { limits } from "./limits.ts";
import { modelsInUse } from "./models-in-use.ts";
import { pack } from "./pack.ts";
import { type EmbedTexts, embedTexts } from "./provider.ts";
import { type PlacedChunk, split } from "./split.ts";

/** `refused`: the provider makes no vectors of this text; that is recorded, and tried again ever more rarely. */
export type RowStatus = "embedded" | "unchanged" | "superseded" | "gone" | "refused";

export type EmbedRowsResult = {
  /** What became of each row, by the active model. */
  statuses: Map<string, RowStatus>;
  /** The provider's words about each refused row. */
  refusals: Map<string, string>;
  /** Vectors that were written, of all models in use. */
  chunks: number;
  /** Tokens that the provider charged for. */
  tokens: number;
  model: string;
};

type Options = {
  /** An edit, which goes before backfills, and for which a refused text is tried again at once. */
  urgent: boolean;
  /** When the change was committed; null for a backfill. */
  changedAt: Date | null;
};

type Deps = { db?: Database; embed?: EmbedTexts; waitMs?: number };

// Texts that are held in memory at once.
const PAGE = 500;
// Rows whose locks are held at once, which makes an update of one of them wait.
const SLICE = 50;

const WAIT_MS = 4 * 60_000;

type Work = { row: RowToEmbed; chunks: (PlacedChunk & { vector?: Float32Array })[]; refused?: string };

const inSlices = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );

/** The row with its vectors, or undefined while one of them is missing. */
function embeddedRow({ row: { id, textHash }, chunks }: Work): EmbeddedRow | undefined {
  const made = chunks.flatMap(({ vector, start, length, tokens }) =>
    vector ? [{ vector, start, length, tokens }] : [],
  );
  return made.length === chunks.length ? { id, textHash, chunks: made } : undefined;
}

async function embedByModel(
  of: EmbeddedTable,
  ids: readonly string[],
  model: EmbeddingModel,
  { urgent, changedAt }: Options,
  { db, embed, deadline }: { db: Database; embed: EmbedTexts; deadline: number },
): Promise<Omit<EmbedRowsResult, "model">> {
  const statuses = new Map<string, RowStatus>(ids.map((id) => [id, "gone"]));
  const refusals = new Map<string, string>();
  let [written, tokens] = [0, 0];

  async function write(work: readonly Work[]): Promise<void> {
    const rows = work.flatMap((item) => embeddedRow(item) ?? []);
    for (const slice of inSlices(rows, SLICE))
      for (const [id, outcome] of await replaceEmbeddings(db, of, model.id, slice, changedAt)) {
        statuses.set(id, outcome === "written" ? "embedded" : outcome);
        if (outcome === "written") written += slice.find((row) => row.id === id)?.chunks.length ?? 0;
      }
  }

  async function refuse(work: readonly Work[]): Promise<void> {
    const found = work.flatMap(({ row: { id, textHash }, refused: error }) =>
      error !== undefined && textHash !== null ? [{ id, textHash, error }] : [],
    );
    if (found.length === 0) return;
    await recordRefusals(db, of, model.id, found);
    for (const { id, error } of found) {
      statuses.set(id, "refused");
      refusals.set(id, error);
    }
  }

  async function embedPage(page: readonly string[]): Promise<void> {
    const rows = await readRowsToEmbed(db, of, model.id, page);
    for (const row of rows) statuses.set(row.id, row.text !== null && row.refused ? "refused" : "unchanged");
    const work: Work[] = rows.flatMap((row) =>
      row.text === null || (row.refused && !urgent) ? [] : [{ row, chunks: split(row.text) }],
    );
    const inputs = work.flatMap((item) => item.chunks.map((chunk) => ({ ...chunk, chunk, item })));
    await write(work.filter(({ chunks }) => chunks.length === 0));
    let writing = Promise.resolve();
    try {
      for (const request of pack(inputs, limits().tokensPerMinute)) {
        const answer = await embedInputs(request, { db, model, embed, urgent, deadline });
        tokens += answer.tokens;
        const touched = new Set<Work>();
        const refused = new Set<Work>();
        for (const [index, outcome] of answer.outcomes.entries()) {
          const input = request[index];
          if (!input) continue;
          if ("vector" in outcome) input.chunk.vector = outcome.vector;
          else {
            // A row whose chunks fill several requests is refused once.
            if (input.item.refused === undefined) refused.add(input.item);
            input.item.refused ??= outcome.refused;
          }
          touched.add(input.item);
        }
        // The next request is under way while these are written.
        await writing;
        writing = write([...touched]).then(() => refuse([...refused]));
        writing.catch(() => {});
      }
    } finally {
      await writing;
    }
  }

  for (const page of inSlices(ids, PAGE)) await embedPage(page);
  return { statuses, refusals, chunks: written, tokens };
}

/**
 * Brings the vectors of some rows up to their present texts, by each model in use. A message only says that a row may
 * have changed: what it carries may be old, cut or `unchanged_toast`, so the rows themselves are read.
 * Rejects as the provider does, where it is not for the sake of a text; what was written until then stays.
 */
export async function embedRows(
  of: EmbeddedTable,
  ids: readonly string[],
  options: Options,
  { db = database(), embed = embedTexts, waitMs = WAIT_MS }: Deps = {},
): Promise<EmbedRowsResult> {
  const { active, building } = await modelsInUse(db);
  const deps = { db, embed, deadline: Date.now() + waitMs };
  const distinct = [...new Set(ids)];
  const byModel = (model: EmbeddingModel) => embedByModel(of, distinct, model, options, deps);
  // Side by side: neither a new model that does not answer nor an old one that is gone already holds up the other.
  const [done, beside] = await Promise.allSettled([byModel(active), building && byModel(building)]);
  if (done.status === "rejected") throw done.reason;
  if (beside.status === "rejected") throw beside.reason;
  return {
    ...done.value,
    chunks: done.value.chunks + (beside.value?.chunks ?? 0),
    tokens: done.value.tokens + (beside.value?.tokens ?? 0),
    model: active.name,
  };
}
