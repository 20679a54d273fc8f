import { runs, tasks } from "@trigger.dev/sdk";
import { until } from "../../tests/helpers/until.ts";
import type { Bench } from "../bench.ts";
import { waitForEdit } from "../parts/edit.ts";
import { embedAll } from "../parts/embed-all.ts";
import { exhaustLimits } from "../parts/exhaust-limits.ts";
import { addPosts, productDatabase } from "../parts/product-database.ts";
import { type Provider, TIERS, type Tier } from "../parts/provider.ts";
import type { FreshDatabase } from "../parts/server.ts";
import { type Stack, startStack } from "../parts/stack.ts";
import { Times } from "../report.ts";

const DELAY_MS = 100;
const WARM_UP = 10;
const EDITED = 200;
const WARM_UP_POSTS = 2_000;

/** From triggering a run that does nothing to its end, as a client sees it. */
async function nothing(): Promise<number> {
  const started = performance.now();
  const { id } = await tasks.trigger("do-nothing", {});
  await until(async () => (await runs.retrieve(id)).isCompleted, {
    everyMs: 2,
    what: "a run that does nothing",
  });
  return performance.now() - started;
}

/** How long the provider worked on the last text that arrived alone, which is an edit's. */
async function providersTime(provider: Provider): Promise<number> {
  const { last } = await provider.stats();
  return last.find(({ inputs }) => inputs === 1)?.milliseconds ?? DELAY_MS;
}

async function edit(database: FreshDatabase, provider: Provider, nth: number, times: Times): Promise<void> {
  const took = await waitForEdit(database, { nth: nth % EDITED });
  times.add(took - (await providersTime(provider)));
}

/** Edits posts, one after another, while `npm run reconcile` has the others embedded, at most `edits` of them. */
async function duringBackfill(
  stack: Stack,
  database: FreshDatabase,
  { from, posts, edits }: { from: number; posts: number; edits: number },
  tier: Tier,
  times: Times,
): Promise<void> {
  await stack.unseen(() => addPosts(database, from, posts));
  await exhaustLimits(stack.provider, database, tier);
  let embedded = false;
  const backfill = stack.reconcile().finally(() => {
    embedded = true;
  });
  // A rejection is handled below.
  backfill.catch(() => {});
  const isInInbox = async () => {
    const { rows } = await database.client.query("select from aftercommit.pending offset $1 limit 1", [
      posts / 2,
    ]);
    return rows.length > 0;
  };
  await until(isInInbox, { what: "the rows in the inbox" });
  for (let round = 0; !embedded && round < edits; round += 1)
    await edit(database, stack.provider, round, times);
  await backfill;
}

type Setting = { tier: Tier; isOldTrigger?: boolean };

async function measure({ tier, isOldTrigger = false }: Setting, bench: Bench): Promise<void> {
  const { server, quick, progress, figure, times } = bench;
  const name = isOldTrigger ? `${tier.name}, an older Trigger.dev` : tier.name;
  const [rounds, posts] = quick ? [5, 500] : [100, 20_000];
  const database = await productDatabase(server);
  const stack = await startStack("product", database, { tier, delayMs: DELAY_MS, isOldTrigger });
  try {
    await stack.unseen(() => addPosts(database, 0, EDITED));
    await embedAll(stack, database, { posts: EDITED, progress });

    progress(`${name}: runs that do nothing`);
    const idle = new Times();
    for (let round = 0; round < WARM_UP; round += 1) await nothing();
    for (let round = 0; round < rounds; round += 1) idle.add(await nothing());
    times(`${name}: a run that does nothing`, idle);

    progress(`${name}: edits`);
    const alone = new Times();
    for (let round = 0; round < WARM_UP; round += 1) await waitForEdit(database, { nth: round });
    for (let round = 0; round < rounds; round += 1) await edit(database, stack.provider, round, alone);
    times(`${name}: commit to visible, less the provider's time`, alone);
    figure(
      `${name}: the median as a multiple of a run that does nothing`,
      alone.percentile(50) / idle.percentile(50),
      "",
    );

    // The first batch runs, and an edit next to them, each start a process; a deployment already has them.
    const warmUp = { from: EDITED, posts: WARM_UP_POSTS, edits: WARM_UP_POSTS };
    await duringBackfill(stack, database, warmUp, tier, new Times());
    const meanwhile = new Times();
    const measured = { from: EDITED + WARM_UP_POSTS, posts, edits: rounds * 2 };
    await duringBackfill(stack, database, measured, tier, meanwhile);
    times(`${name}: the same during a backfill of ${posts} (${meanwhile.count} edits)`, meanwhile);
    for (const percent of [50, 99]) {
      const multiple = meanwhile.percentile(percent) / alone.percentile(percent);
      figure(`${name}: its p${percent} as a multiple of idle`, multiple, "");
    }
  } finally {
    await stack.stop();
    await database.drop();
  }
}

export async function run(bench: Bench): Promise<void> {
  const [first, , fifth] = TIERS;
  const settings = [{ tier: first }, { tier: fifth }, { tier: fifth, isOldTrigger: true }];
  for (const setting of bench.quick ? settings.slice(1, 2) : settings) await measure(setting, bench);
}
