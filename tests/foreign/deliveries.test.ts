import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { Provider } from "../../packages/aftercommit/src/declare/provider.ts";
import { defineEmbedding } from "../../packages/aftercommit/src/define.ts";
import { drain } from "../../packages/aftercommit/src/embeddings/drain.ts";
import { lookAfter } from "../../packages/aftercommit/src/embeddings/look-after.ts";
import { openai } from "../../packages/aftercommit/src/providers/openai.ts";
import { answerWith, startFaultyServer } from "../helpers/faulty-server.ts";
import { appForTests } from "../helpers/foreign/app.ts";
import { commitOf } from "../helpers/foreign/messages.ts";

const articles = defineEmbedding({
  row: "article",
  table: "public.articles",
  key: "id",
  text: ["title", "body"],
});
const ONE = "create-embedding-for-article";
const MANY = "create-embeddings-for-articles";

const app = appForTests([articles], {
  tables: (client) =>
    client.query(
      "create table articles (id bigint generated always as identity primary key, title text, body text)",
    ),
});
beforeAll(() => app.migrate());
afterEach(async () => {
  await app.workOff();
  expect(await app.pending(articles)).toEqual([]);
});

/** New rows, each with a different text. */
async function insert(count: number, body: string | null = "of an import"): Promise<string[]> {
  const { rows } = await app.client.query<{ id: string }>(
    `insert into articles (title, body) select 'Row ' || md5(random()::text), $2 from generate_series(1, $1)
     returning id::text`,
    [count, body],
  );
  return rows.map(({ id }) => id);
}

const inserted = (ids: readonly string[]) =>
  commitOf(
    articles,
    ids.map((id) => ({ action: "insert", record: { id: Number(id) } })),
  );
const deliver = (messages: readonly unknown[]) => app.deliver(articles, messages);
const tasks = async () => (await app.openRuns()).map(({ task }) => task).toSorted();

async function inputsOf(work: () => Promise<unknown>): Promise<number> {
  const before = await app.provider.stats();
  await work();
  return (await app.provider.stats()).inputs - before.inputs;
}

describe("rows whose delivery is grouped differently when it is repeated", () => {
  it("are embedded once each, if no run has reached them yet", async () => {
    const ids = await insert(8);
    const messages = ids.flatMap((id) => inserted([id]));
    const asked = await inputsOf(async () => {
      for (const group of [messages, messages.slice(0, 5), messages.slice(3), messages.toReversed()])
        expect(await deliver(group)).toMatchObject({ status: 200 });
      await app.workOff();
    });
    expect(asked).toBe(8);
    expect(await app.embedded(articles)).toEqual(expect.arrayContaining(ids));
  });

  it("are not requested again, if runs have worked between the deliveries", async () => {
    const messages = (await insert(8)).flatMap((id) => inserted([id]));
    const asked = await inputsOf(async () => {
      for (const group of [messages.slice(0, 5), messages.slice(3), messages, messages.slice(2, 6)]) {
        await deliver(group);
        await app.workOff();
      }
    });
    expect(asked).toBe(8);
  });

  it("are not requested twice by their runs and a drain that work at the same time", async () => {
    const edits = (await insert(8)).flatMap((id) => inserted([id]));
    const asked = await inputsOf(async () => {
      await deliver([...edits, ...inserted(await insert(30))]);
      expect(await tasks()).toEqual([...Array(8).fill(ONE), MANY]);
      await app.workOff();
    });
    expect(asked).toBe(38);
  });
});

describe("an edit whose run was canceled", () => {
  async function canceledEdit(): Promise<string> {
    const [id = ""] = await insert(1);
    await deliver(inserted([id]));
    expect(await tasks()).toContain(ONE);
    await app.cancelRuns();
    return id;
  }

  it("is embedded by the drain of the next import", async () => {
    const id = await canceledEdit();
    await deliver(inserted(await insert(20)));
    expect(await app.workOff()).toEqual([MANY]);
    expect(await app.embedded(articles)).toContain(id);
  });

  it("is embedded by the drain that the schedule wakes, if nothing else happens", async () => {
    const id = await canceledEdit();
    expect(await lookAfter(articles, { db: app.db })).toMatchObject({ woken: true });
    expect(await app.workOff()).toEqual([MANY]);
    expect(await app.embedded(articles)).toContain(id);
  });

  it("is embedded by a running drain during continuous imports, and so is what was never delivered", async () => {
    await deliver(inserted(await insert(20)));
    await app.cancelRuns();
    await app.client.query("update articles set title = title || ' that no message was about' where id = 1");
    await app.db.execute("update aftercommit.sources set reconciled_at = null, fully_reconciled_at = null");
    const edits: string[] = [];
    let leases = 0;
    const embed: Provider["embed"] = async (request) => {
      leases += 1;
      if (leases <= 3) {
        await deliver(inserted(await insert(20)));
        edits.push(await canceledEdit());
        const looked = await lookAfter(articles, { db: app.db });
        if (leases === 1) expect(looked).toMatchObject({ reconciled: { missing: 1 }, woken: false });
      }
      return openai().embed(request);
    };
    const declaration = { ...articles, providers: [{ ...openai(), embed }] };
    const done = await drain(declaration, { db: app.db, runId: "run_busy", waitUntil: async () => {} });
    expect(done).toMatchObject({ failed: 0, left: false });
    expect(edits).toHaveLength(3);
    expect(await app.embedded(articles)).toEqual(expect.arrayContaining(edits));
    expect(await app.reconcile(articles, { full: true, dryRun: true })).toMatchObject({ missing: 0 });
  });
});

describe("more than ten rows of one commit", () => {
  it("are for the batch queue and wake one drain, whatever deliveries they arrive in, and an edit among them has a run", async () => {
    const messages = inserted(await insert(25));
    const [edit = ""] = await insert(1);
    expect(await deliver([...messages.slice(0, 20), ...inserted([edit])])).toMatchObject({
      status: 200,
      body: { triggered: 1, pending: 20 },
    });
    // The tail is five rows, but their place in the commit shows how many came before.
    expect(await deliver(messages.slice(20))).toMatchObject({ body: { triggered: 0, pending: 5 } });
    expect(await tasks()).toEqual([ONE, MANY]);
    const queues = new Map((await app.pending(articles)).map(({ rowId, queue }) => [rowId, queue]));
    expect(queues.get(edit)).toBe("realtime");
    queues.delete(edit);
    expect(new Set(queues.values())).toEqual(new Set(["batch"]));
  });

  it("of a backfill are for the batch queue, a single one as well", async () => {
    const [id = ""] = await insert(1);
    const [message] = inserted([id]);
    expect(await deliver([{ ...message, action: "read" }])).toMatchObject({
      body: { triggered: 0, pending: 1 },
    });
    expect(await app.pending(articles)).toEqual([{ rowId: id, queue: "batch", error: null }]);
    expect(await tasks()).toEqual([MANY]);
  });
});

it("a large value that an update left alone, and columns that are null, are read from the row", async () => {
  const [id = ""] = await insert(1, "gargantuan zeppelins");
  const [message] = commitOf(articles, [
    { record: { id: Number(id), title: "New", body: "unchanged_toast" } },
  ]);
  await app.client.query("update articles set title = 'New' where id = $1", [id]);
  await deliver([message]);
  await app.workOff();
  expect((await app.search(articles, "gargantuan zeppelins"))[0]).toMatchObject({
    id,
    passage: "New\n\ngargantuan zeppelins",
  });
  await app.client.query("update articles set body = null where id = $1", [id]);
  await deliver(commitOf(articles, [{ record: { id: Number(id), title: "New", body: null } }]));
  await app.workOff();
  expect((await app.search(articles, "New"))[0]).toMatchObject({ id, passage: "New" });
  await app.client.query("update articles set title = null where id = $1", [id]);
  await deliver(commitOf(articles, [{ record: { id: Number(id), title: null, body: null } }]));
  await app.workOff();
  expect(await app.embedded(articles)).not.toContain(id);
});

describe("Trigger.dev", () => {
  async function whileItAnswers(status: number, work: () => Promise<void>): Promise<void> {
    const server = await startFaultyServer(answerWith(status, '{"error":"no"}'));
    vi.stubEnv("TRIGGER_API_URL", server.url);
    vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      await work();
    } finally {
      vi.stubEnv("TRIGGER_API_URL", app.triggerUrl());
      await server.close();
    }
  }
  const embeddedOnceItIsBack = async (id: string) => {
    expect((await app.pending(articles)).map(({ rowId }) => rowId)).toContain(id);
    await lookAfter(articles, { db: app.db });
    await app.workOff();
    expect(await app.embedded(articles)).toContain(id);
  };

  it("rejects the key: 500, or no one would notice, and the row is safe", async () => {
    const [id = ""] = await insert(1);
    await whileItAnswers(401, async () =>
      expect(await deliver(inserted([id]))).toMatchObject({ status: 500 }),
    );
    await embeddedOnceItIsBack(id);
  });

  it("does not answer: 200 with what is pending, because Sequin has nothing more to do", async () => {
    const [id = ""] = await insert(1);
    await whileItAnswers(503, async () => {
      const answer = await deliver(inserted([id]));
      expect(answer).toEqual({ status: 200, body: { triggered: 0, pending: 1, ignored: 0, runs: [] } });
    });
    await embeddedOnceItIsBack(id);
  });
});
