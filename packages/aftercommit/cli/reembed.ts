// npx aftercommit reembed: makes the vectors of another model while search
// keeps working, and then switches. --stop cancels this; --retire deletes the vectors of models that are not in use.
import { parseArgs } from "node:util";
import type { Database } from "../src/db/client.ts";
import { directDatabase, directUrl } from "../src/db/database.ts";
import { withLongConnection } from "../src/db/long-connection.ts";
import { type Model, readModelsInUse } from "../src/models/models.ts";
import { retireModels } from "../src/models/retire-models.ts";
import { buildVectorIndex } from "../src/models/vector-index.ts";
import {
  beginModel,
  completeModel,
  describe,
  enqueueRows,
  ModelChangeError,
  reembedCommand,
  rowsLacking,
  stopBuilding,
  switchModel,
  type WantedModel,
} from "../src/reembed/change-model.ts";
import type { EmbeddingSource } from "../src/source.ts";
import { command } from "./command.ts";
import { embeddingSources } from "./embedding-sources.ts";
import { waitForInbox } from "./wait-for-inbox.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);
// Edits that began before the model was complete left it to the drain, and may have been edited again since.
const ROUNDS = 3;

type Change = { from: Model | undefined; to: Model };

/**
 * Has the drain embed every row with the new model. Rejects if rows are left that cannot be embedded, and names them.
 */
async function build(
  db: Database,
  sources: readonly EmbeddingSource[],
  { from, to }: Change,
  accepted: number,
) {
  for (const source of sources) await enqueueRows(db, source, { from, to });
  await waitForInbox(db, sources);
  await completeModel(db, to);
  for (let round = 1; ; round += 1) {
    await waitForInbox(db, sources);
    const left = from ? await rowsLacking(db, sources, { from, to }) : [];
    const missing = left.reduce((sum, { rows }) => sum + rows, 0);
    if (missing <= accepted) return;
    if (round === ROUNDS) throw new ModelChangeError(describe(to, left));
  }
}

type Wanted = Omit<WantedModel, "provider"> & { provider: string | undefined };

async function reembed(wanted: Wanted, acceptMissing: number): Promise<void> {
  const { db, sources } = await embeddingSources();
  const provider = wanted.provider ?? (await readModelsInUse(db)).active.provider;
  const model = { ...wanted, provider };
  const change = await beginModel(db, sources, model);
  if (!change) return say(`Search answers from ${model.name} already.`);
  const { from, to } = change;
  const beside = from?.name ?? "no model";
  say(`Building the vectors of ${to.name} (${to.dimensions} dimensions) beside those of ${beside}.`);
  await build(db, sources, change, acceptMissing);
  say("Building the index.");
  for (const { declaration } of sources)
    await withLongConnection(directUrl(), (client) => buildVectorIndex(client, declaration.embeddings, to));
  await waitForInbox(db, sources);
  await switchModel(db, sources, { ...change, acceptMissing });
  say(`Search answers from ${to.name} now.`);
  if (from)
    say(
      `The vectors of ${from.name} are kept. To switch back: ${reembedCommand(from)}. To delete them: npx aftercommit reembed --retire`,
    );
}

function wholeNumber(text: string, name: string, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > most)
    throw new Error(`--${name} takes a whole number up to ${most}`);
  return number;
}

await command(async () => {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      provider: { type: "string" },
      dimensions: { type: "string" },
      "accept-missing": { type: "string", default: "0" },
      stop: { type: "boolean", default: false },
      retire: { type: "boolean", default: false },
    },
  });
  const { model: name, provider } = values;
  const dimensions =
    values.dimensions === undefined ? undefined : wholeNumber(values.dimensions, "dimensions", 4_000);
  const acceptMissing = wholeNumber(values["accept-missing"], "accept-missing", 1_000_000_000);
  if (values.stop || values.retire) {
    const db = directDatabase();
    if (values.stop) return stopBuilding(db);
    const names = await retireModels(db, { url: directUrl() });
    return say(names.length > 0 ? `Retired ${names.join(", ")}.` : "Nothing is retired.");
  }
  if (!name) throw new Error("Say which model: npx aftercommit reembed --model text-embedding-3-large");
  await reembed({ provider, name, dimensions }, acceptMissing);
});
