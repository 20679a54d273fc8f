import { z } from "zod";
import { startLocal } from "./local.ts";

/** OpenAI's limits for text-embedding-3-small, by usage tier. */
export type Tier = { name: string; tokensPerMinute: number; requestsPerMinute: number };

export const TIERS = [
  { name: "tier 1", tokensPerMinute: 1_000_000, requestsPerMinute: 3_000 },
  { name: "tier 3", tokensPerMinute: 5_000_000, requestsPerMinute: 5_000 },
  { name: "tier 5", tokensPerMinute: 10_000_000, requestsPerMinute: 10_000 },
] as const satisfies readonly Tier[];

/** Limits that are never reached. */
export const NO_LIMITS: Tier = {
  name: "no limits",
  tokensPerMinute: 1_000_000_000,
  requestsPerMinute: 1_000_000,
};

const call = z.object({ at: z.string(), status: z.number(), inputs: z.number(), milliseconds: z.number() });
const statsSchema = z.object({
  calls: z.number(),
  inputs: z.number(),
  tokens: z.number(),
  failures: z.number(),
  last: z.array(call),
});

export type Stats = z.infer<typeof statsSchema>;

/** The hashing model behind OpenAI's protocol, which enforces a tier's limits. */
export async function startProvider(folder: string, tier: Tier | undefined) {
  const local = await startLocal(folder, ["openai"], {
    LOCAL_EMBEDDING_MODEL: "hashing",
    ...(tier && {
      LOCAL_OPENAI_TOKENS_PER_MINUTE: `${tier.tokensPerMinute}`,
      LOCAL_OPENAI_REQUESTS_PER_MINUTE: `${tier.requestsPerMinute}`,
    }),
  });
  const post = (path: string, body: unknown) =>
    fetch(`${local.url}${path}`, {
      method: "POST",
      headers: { authorization: "Bearer bench", "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    url: local.url,
    /** Delays each response by this long. */
    async delay(delayMs: number): Promise<void> {
      if (delayMs > 0) await post("/local/openai/faults", { delayMs });
    },
    /** Rejects each request that has a text with this word, and says which text that is. */
    async refuse(word: string): Promise<void> {
      await post("/local/openai/faults", { containing: word, named: true });
    },
    async stats(): Promise<Stats> {
      return statsSchema.parse(await (await fetch(`${local.url}/local/openai/stats`)).json());
    },
    /** Leaves this many of the minute's tokens. */
    async leaveTokens(tokensLeft: number): Promise<void> {
      const { ok, status } = await post("/local/openai/limits", { tokensLeft });
      if (!ok) throw new Error(`The provider answered ${status}`);
    },
    stop: local.stop,
  };
}

export type Provider = Awaited<ReturnType<typeof startProvider>>;
