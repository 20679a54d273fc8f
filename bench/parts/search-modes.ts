import { posts } from "../../aftercommit.config.ts";
import { openai } from "../../packages/aftercommit/src/providers/openai.ts";
import { MODES } from "../../packages/aftercommit/src/search/options.ts";
import { search } from "../../packages/aftercommit/src/search/search.ts";
import type { Bench } from "../bench.ts";
import { Times } from "../report.ts";
import { someVector } from "./topics.ts";
import { someText } from "./words.ts";

const WORDS = 3;

// Answers immediately with vectors like the stored ones, so that only the database is measured.
const provider = {
  ...openai(),
  embed: async () => ({ vectors: [someVector()], tokens: WORDS, left: {} }),
};

/** Searches for three words in each mode. DATABASE_URL has the rows. */
export async function measureSearch({ progress, times, count, quick }: Bench): Promise<void> {
  const declaration = { ...posts, providers: [provider] };
  for (const mode of MODES) {
    progress(`search, ${mode}`);
    const took = new Times();
    let incomplete = 0;
    for (let n = 0; n < (quick ? 5 : 100); n += 1) {
      const options = { query: someText(WORDS), mode };
      const { results, degraded } = await took.measure(() => search(declaration, options));
      if (results.length === 0 || degraded !== undefined) incomplete += 1;
    }
    times(`search, ${mode}`, took);
    count(`search, ${mode}: empty or without a half`, incomplete, { exactly: 0 });
  }
}
