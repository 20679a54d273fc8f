import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { cloneProject } from "../helpers/clone.ts";
import { allProcesses, type Process } from "../helpers/processes.ts";
import { callsFor, completedDeletion, mailsTo, textOfMail } from "../helpers/stack/deletions.ts";
import { choosePorts, DevStack, type Ports } from "../helpers/stack/dev-stack.ts";
import { everyPostEmbedded, wrongEmbeddings } from "../helpers/stack/embeddings.ts";
import { openRuns } from "../helpers/stack/open-runs.ts";
import { countPosts, embeddingsOfPost, idOfPost } from "../helpers/stack/posts.ts";
import { everythingSaid, secretsOf } from "../helpers/stack/whispers.ts";
import { until } from "../helpers/until.ts";

let folder: string;
let ports: Ports;
let stack: DevStack;

beforeAll(async () => {
  folder = cloneProject();
  ports = await choosePorts();
  stack = new DevStack(folder, ports);
  await stack.ready();
});

beforeEach(() => {
  onTestFailed(() => console.log(stack.output));
});

afterAll(async () => {
  await stack?.interrupt();
  await rm(folder, { recursive: true, force: true });
});

const embeddingsOf = (id: string) => embeddingsOfPost(stack, id);
const idOf = (title: string) => idOfPost(stack, title);

/** Resolves when the inbox has nothing more to do for a post. */
async function workedOn(id: string): Promise<void> {
  const pending =
    "select from aftercommit.pending where source = 'post' and row_id = $1 and settle_xid is null";
  await until(async () => (await stack.query(pending, [id])).length === 0, {
    everyMs: 200,
    what: `end of the work on post ${id}`,
    progress: () => stack.output,
  });
}

async function calls(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${ports.http}/local/openai/stats`);
  const stats: { calls: number } = await response.json();
  return stats.calls;
}

describe("npm run dev in a fresh clone", () => {
  it("prints a table with DATABASE_URL before its ready line", () => {
    const [table = ""] = stack.output.split(/^ready/m);
    expect(table).toContain(`127.0.0.1:${ports.postgres}`);
    expect(table).toContain("DATABASE_URL");
    expect(table).toContain(`http://127.0.0.1:${ports.app}`);
  });

  it("embeds every sample post with 1,536 dimensions, the same way as any later post", async () => {
    await everyPostEmbedded(stack);
    const rows = await stack.query<{ posts: number; dimensions: number[] }>(
      "select count(distinct post_id)::int as posts, array_agg(distinct vector_dims(embedding)) as dimensions from post_embeddings",
    );
    const count = await countPosts(stack);
    expect(count).toBeGreaterThan(3);
    expect(rows).toEqual([{ posts: count, dimensions: [1536] }]);
    expect(stack.output).toMatch(/posts-embedding: \d+ messages → 200/);
  });

  it("calls the provider once for each sample post", async () => {
    const allEnded = async () => (await openRuns(stack)) === 0;
    await until(allEnded, { everyMs: 200, what: "end of every run", progress: () => stack.output });
    const count = await countPosts(stack);
    expect(await calls()).toBeLessThanOrEqual(count);
  });

  it("inserts the ten users of Sequin's guide", async () => {
    const users = await stack.query<{ email: string }>("select email from users order by email");
    expect(users).toHaveLength(10);
    expect(users.at(-1)).toEqual({ email: "john.doe@example.com" });
  });

  it("finds the right post first for a question that shares no word with it", async () => {
    const nearest = async (question: string) => {
      const url = `http://127.0.0.1:${ports.app}/api/search?q=${encodeURIComponent(question)}`;
      const { results }: { results: { id: string }[] } = await (await fetch(url)).json();
      return results[0]?.id;
    };
    expect(await nearest("dog obedience")).toBe(await idOf("Training a puppy"));
    expect(await nearest("pension money")).toBe(await idOf("Saving for retirement"));
    expect(await nearest("climbing trip outdoors")).toBe(await idOf("A weekend in the mountains"));
  });
});

it("npm run doctor finds nothing wrong with it", async () => {
  const { checks, status } = JSON.parse(await stack.command("doctor", "--json", "--wait=300"));
  expect({ status, checks }).toMatchObject({ status: "ok" });
});

describe("a change made with npm run sql", () => {
  const title = "The Future of AI, part two";

  it("an insert is embedded", async () => {
    const printed = await stack.sql(
      `insert into posts (title, body, author) values ('${title}', 'Robots will cook.', 'Alice H Johnson') returning title`,
    );
    expect(printed).toContain(title);
    const id = await idOf(title);
    const rows = await until(async () => (await embeddingsOf(id))[0], {
      what: "the embedding",
    });
    expect(rows).toMatchObject({ chunk: 0, dimensions: 1536 });
  });

  it("an update of the body replaces the embedding", async () => {
    const id = await idOf(title);
    const [before] = await embeddingsOf(id);
    await stack.query("update posts set body = 'Robots will farm.' where id = $1", [id]);
    const after = await until(
      async () => (await embeddingsOf(id)).find((row) => row.text_hash !== before?.text_hash),
      { what: "the new embedding" },
    );
    expect(after.chunk).toBe(0);
  });

  it("an update of the author asks the provider nothing and changes no vector", async () => {
    const id = await idOf(title);
    const [before] = await embeddingsOf(id);
    const callsBefore = await calls();
    const delivered = new RegExp(`update public\\.posts ${id} → 200`, "g");
    const deliveries = () => stack.output.match(delivered)?.length ?? 0;
    const deliveredBefore = deliveries();
    await stack.query("update posts set author = 'Bob' where id = $1", [id]);
    await until(() => deliveries() > deliveredBefore, { what: "delivery of the author's change" });
    await workedOn(id);
    expect(await calls()).toBe(callsBefore);
    expect(await embeddingsOf(id)).toEqual([before]);
  });

  it("a delete removes the embedding", async () => {
    const id = await idOf(title);
    expect(await stack.sql(`delete from posts where id = ${id}`)).toContain("DELETE 1");
    await until(async () => (await embeddingsOf(id)).length === 0, { what: "the end of its embedding" });
  });

  it("a mistake is reported with its place", async () => {
    await expect(stack.sql("select titel from posts")).rejects.toThrow(
      /column "titel" does not exist \(at character 8\)/,
    );
  });
});

describe("a user deleted with npm run sql", () => {
  it("the external system is notified, then john.doe@example.com with one e-mail, and no address is kept", async () => {
    const [john] = await stack.query<{ id: string }>("select id from users where first_name = 'John'");
    const id = john?.id ?? "";
    expect(await stack.sql("delete from users where first_name = 'John'")).toContain("DELETE 1");
    const deletion = await completedDeletion(stack, id);
    expect(Object.values(deletion.systems)).toEqual([{ done_at: expect.any(String) }]);
    expect(deletion.email).toBeNull();
    expect(deletion).not.toHaveProperty("email_hash");
    expect(await callsFor(stack, id)).toEqual([expect.objectContaining({ status: 204 })]);
    const [mail, ...others] = await mailsTo(stack, "john.doe@example.com");
    expect(others).toEqual([]);
    expect(await textOfMail(stack, mail?.id ?? "")).toContain("deleted");
  });
});

describe("everything that is logged, stored or shown about it", () => {
  it("contains no address, name, text or secret, in the log, the ledger, the runs and the pages", async () => {
    const said = await everythingSaid(stack);
    const people = ["john.doe@", '@example.com"', "Doe", "Charlie"];
    const texts = ["sourdough", "index funds", "Robots will farm"];
    for (const [place, text] of Object.entries(said)) {
      const found = [...people, ...texts, ...secretsOf(stack)].filter((word) => text.includes(word));
      expect({ place, found }).toEqual({ place, found: [] });
    }
    for (const place of ["log", "ledger", "runs"]) expect(said[place]).not.toContain("Training a puppy");
  });
});

describe("Ctrl-C and a second start", () => {
  let before: Process[];

  it("ends everything and leaves no process behind", async () => {
    before = stack.processes();
    expect(before.length).toBeGreaterThan(4);
    await stack.interrupt();
    const left = allProcesses().filter(
      ({ pid, command }) =>
        command.includes(folder) || before.some((old) => old.pid === pid && old.command === command),
    );
    expect(left).toEqual([]);
  });

  it("finds its data, and says how to change to the model that is set now", async () => {
    stack = new DevStack(folder, ports, { LOCAL_EMBEDDING_MODEL: "hashing" });
    await stack.ready();
    expect(stack.output).not.toContain("inserted the sample");
    expect(await idOf("Training a puppy")).toBeDefined();
    expect(stack.output).toContain("npm run reembed -- --model hashing");
    const models = await stack.query("select name, state from aftercommit.models");
    expect(models).toEqual([{ name: "universal-sentence-encoder-lite", state: "active" }]);
  });

  it("makes all vectors again with npm run reembed, and keeps those of the old model", async () => {
    const printed = await stack.command("reembed", "--model", "hashing");
    expect(printed).toContain("Search answers from hashing now.");
    expect(await stack.query("select name, state from aftercommit.models order by id")).toEqual([
      { name: "universal-sentence-encoder-lite", state: "retired" },
      { name: "hashing", state: "active" },
    ]);
    expect(await wrongEmbeddings(stack)).toEqual([]);
    expect(await stack.command("reembed", "--retire")).toContain("Retired universal-sentence-encoder-lite.");
    expect(await stack.query("select name from aftercommit.models")).toEqual([{ name: "hashing" }]);
  });
});
