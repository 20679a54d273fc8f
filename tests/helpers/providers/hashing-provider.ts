import { afterAll, afterEach, beforeAll } from "vitest";
import { z } from "zod";
import { startOpenAI } from "../../../emulators/openai/start.ts";
import { serve } from "../serve.ts";

const statsSchema = z.object({ calls: z.number(), inputs: z.number() });

type Fault = { status?: number; code?: string; retryAfterMs?: number; delayMs?: number; times?: number };

/** One embeddings endpoint for the tests of a file, with a hashing model. OPENAI_BASE_URL names it. */
export function providerForTests() {
  let http: Awaited<ReturnType<typeof serve>>;
  let openai: Awaited<ReturnType<typeof startOpenAI>>;
  const before = { url: process.env.OPENAI_BASE_URL, key: process.env.OPENAI_API_KEY };

  const restore = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };

  beforeAll(async () => {
    openai = await startOpenAI({ model: "hashing", log: () => {} });
    http = await serve([openai.app]);
    process.env.OPENAI_BASE_URL = `${http.url}/v1`;
    process.env.OPENAI_API_KEY = "sk-tests";
  });
  const works = async () => {
    await fetch(`${http.url}/local/openai/faults`, { method: "DELETE" });
  };
  afterEach(works);
  afterAll(async () => {
    restore("OPENAI_BASE_URL", before.url);
    restore("OPENAI_API_KEY", before.key);
    await http.close();
    await openai.close();
  });

  return {
    /** Ends the faults. */
    works,
    /** Its requests since it started. */
    async stats() {
      const answer = await fetch(`${http.url}/local/openai/stats`);
      return statsSchema.parse(await answer.json());
    },
    /** Sets the fault of the next requests, until the end of the test. */
    async fail(fault: Fault): Promise<void> {
      const answer = await fetch(`${http.url}/local/openai/faults`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(fault),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
  };
}
