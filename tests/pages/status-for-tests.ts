import { tasks } from "@trigger.dev/sdk";
import { eq } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, beforeEach, vi } from "vitest";
import { embeddingFailures } from "../../drizzle/embedding-tables.ts";
import { recordRefusals } from "../../drizzle/queries/embeddings/failures.ts";
import { embeddingUsage, posts, userDeletions } from "../../drizzle/schema.ts";
import { embedRow } from "../../lib/embeddings/embed-row.ts";
import { posts as source } from "../../lib/embeddings/posts.ts";
import type { EmbedTexts } from "../../lib/embeddings/provider.ts";
import type { Part } from "../../lib/status/part.ts";
import { readStatus } from "../../lib/status/read-status.ts";
import { databaseForTests } from "../tasks/database.ts";
import { startTriggerServer } from "../trigger-server.ts";

const KEY = "tr_dev_status";

export const embed: EmbedTexts = async (_, texts) => ({
  vectors: texts.map(() => new Float32Array(1_536).fill(0.1)),
  tokens: 7,
  left: {},
});

function known<T>(part: Part<T>): T {
  if (part.known) return part.value;
  throw new Error(part.problem);
}

/** An empty database and a Trigger.dev for each test of a file, and the status that the page shows of them. */
export function statusForTests() {
  const database = databaseForTests();
  let trigger: Awaited<ReturnType<typeof startTriggerServer>>;

  const embedPost = (id: bigint, deps: { embed: EmbedTexts }, changedAt: string | null = null) =>
    embedRow(source.of, String(id), changedAt, deps);

  /** What the provider's refusal of a post's present text leaves. */
  async function refuse(id: bigint, error = "The input was refused."): Promise<void> {
    const [post] = await database.db.select().from(posts).where(eq(posts.id, id));
    await recordRefusals(database.db, source.of, 1, [
      { id: String(id), textHash: post?.textHash ?? "", error },
    ]);
  }

  async function status() {
    const { totals, posts: shown, usage, deletions } = await readStatus({ db: () => database.db });
    return {
      ...known(totals),
      ...known(shown),
      usage: known(usage),
      deletions: known(deletions),
    };
  }

  async function triggerRun(tag: string, options: { ttl?: string } = {}): Promise<string> {
    const { id } = await tasks.trigger("create-embedding-for-post", {}, { tags: [tag], ...options });
    return id;
  }

  beforeAll(async () => {
    trigger = await startTriggerServer(KEY);
  });
  afterAll(() => trigger.close());
  beforeEach(async () => {
    vi.stubEnv("TRIGGER_SECRET_KEY", KEY);
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
    vi.stubEnv("TRIGGER_PROJECT_REF", "proj_tests");
    await database.db.delete(posts);
    await database.db.delete(embeddingFailures);
    await database.db.delete(embeddingUsage);
    await database.db.delete(userDeletions);
  });
  afterEach(() => vi.unstubAllEnvs());

  return { database, embedPost, refuse, status, triggerRun, triggerUrl: () => trigger.url };
}
