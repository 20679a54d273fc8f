// npm run reembed -- --model M [--dimensions D]: makes all vectors anew by another model while search goes on, and then
// switches. --stop gives up; --retire deletes the vectors of models that are not in use.
import { parseArgs } from "node:util";
import { APIError } from "openai";
import { overlapOfResults } from "../lib/embeddings/compare-models.ts";
import { DEFAULT_DIMENSIONS } from "../lib/embeddings/recipe.ts";
import { reconcile } from "../lib/embeddings/reconcile.ts";
import {
  beginReembedding,
  buildIndexes,
  retireGenerations,
  rowsLeft,
  stopReembedding,
  switchModel,
} from "../lib/embeddings/reembed.ts";
import { textsBehind } from "../lib/embeddings/rows-behind.ts";
import { sources } from "../lib/embeddings/sources.ts";
import { bulkRunsUnderWay } from "../lib/runs/trigger-bulk.ts";
import { command, pause, progress } from "./command.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

type Generation = NonNullable<Awaited<ReturnType<typeof beginReembedding>>>["to"];

/** Keeps the bulk lane at work until the generation has every row, but for edits that their own runs are embedding. */
async function build(to: Generation): Promise<void> {
  const bar = progress(`rows embedded by ${to.name}`);
  let attempts = 0;
  let [seen, tried] = [new Set<string>(), new Set<string>()];
  for (;;) {
    const startedAt = Date.now();
    const { behind, all } = await rowsLeft(sources, to);
    bar.show(all - behind, all);
    if (behind === 0) return bar.end();
    const texts = await textsBehind(sources, to);
    const isAgain = (before: ReadonlySet<string>) => [...texts].some((text) => before.has(text));
    if (seen.size > 0 && behind <= texts.size && !isAgain(seen)) return bar.end();
    seen = texts;
    const underWay = await Promise.all(sources.map(bulkRunsUnderWay));
    if (underWay.every((runs) => runs === 0)) {
      // Runs that ended without an embedding have failed as runs: the provider's words are there.
      attempts = isAgain(tried) ? attempts + 1 : 0;
      if (attempts === 3) {
        bar.end();
        throw new Error(
          `${behind} rows could not be embedded by ${to.name}: see the failed runs in Trigger.dev.`,
        );
      }
      tried = texts;
      for (const source of sources) await reconcile(source, `npm-run-reembed:${to.id}:${Date.now()}`);
    }
    await pause(startedAt);
  }
}

/** Says how alike the first ten results of both are, where the provider still knows the old model. */
async function compare(source: (typeof sources)[number], from: Generation, to: Generation): Promise<void> {
  try {
    const overlap = await overlapOfResults(source, [from, to]);
    if (overlap !== undefined) say(`${source.of.name}: overlap@10 of both models ${overlap.toFixed(2)}`);
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    say(`${source.of.name}: the models cannot be compared, as the provider says: ${error.message}`);
  }
}

async function reembed(model: { name: string; dimensions: number }): Promise<void> {
  const begun = await beginReembedding(model);
  if (!begun) return say(`Search answers from ${model.name} already.`);
  const { from, to } = begun;
  say(
    `Building the vectors of ${to.name} (${to.dimensions} dimensions) beside those of ${from?.name ?? "no model"}.`,
  );
  await build(to);
  say("Building the index.");
  await buildIndexes(sources, to);
  await build(to);
  if (from) for (const source of sources) await compare(source, from, to);
  await switchModel(to);
  say(`Search answers from ${to.name} now.`);
  if (from)
    say(
      `The vectors of ${from.name} are kept. To switch back: npm run reembed -- --model ${from.name} --dimensions ${from.dimensions}. To delete them: npm run reembed -- --retire`,
    );
  say("Where EMBEDDING_MODEL is set, take it out: the database says which model is in use.");
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      dimensions: { type: "string", default: String(DEFAULT_DIMENSIONS) },
      stop: { type: "boolean", default: false },
      retire: { type: "boolean", default: false },
    },
  });
  const dimensions = Number(values.dimensions);
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > 4_000)
    throw new Error("--dimensions takes a whole number from 1 to 4000");
  if (values.stop) return stopReembedding();
  if (values.retire) {
    const names = await retireGenerations(sources, say);
    return say(names.length > 0 ? `Retired ${names.join(", ")}.` : "Nothing is retired.");
  }
  if (!values.model) throw new Error("Say which model: npm run reembed -- --model text-embedding-3-large");
  await reembed({ name: values.model, dimensions });
});
