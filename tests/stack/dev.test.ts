import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { until } from "../until.ts";
import { cloneProject } from "./clone.ts";
import { callsFor, completedDeletion, mailsTo, textOfMail } from "./deletions.ts";
import { choosePorts, DevStack, type Ports } from "./dev-stack.ts";
import { everyPostEmbedded, vectorOf, wrongEmbeddings } from "./embeddings.ts";
import { describeOneKillEach } from "./kills.ts";
import { openRuns } from "./open-runs.ts";
import { allProcesses, type Process } from "./processes.ts";

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

type Embedding = { chunk: number; content_hash: string; updated_at: Date; dimensions: number };

const embeddingsOf = (id: string) =>
  stack.query<Embedding>(
    "select chunk, content_hash, updated_at, vector_dims(embedding) as dimensions from post_embeddings where post_id = $1",
    [id],
  );

async function idOf(title: string): Promise<string> {
  const [row] = await stack.query<{ id: string }>("select id from posts where title = $1", [title]);
  if (!row) throw new Error(`no post ${title}`);
  return row.id;
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

  it("embeds every sample post with 1,536 dimensions by the road of any later post", async () => {
    await everyPostEmbedded(stack);
    const rows = await stack.query<{ posts: number; dimensions: number[] }>(
      "select count(distinct post_id)::int as posts, array_agg(distinct vector_dims(embedding)) as dimensions from post_embeddings",
    );
    const [{ count } = { count: 0 }] = await stack.query<{ count: number }>(
      "select count(*)::int from posts",
    );
    expect(count).toBeGreaterThan(3);
    expect(rows).toEqual([{ posts: count, dimensions: [1536] }]);
    expect(stack.output).toMatch(/posts-embedding: read public\.posts 1 → 200/);
  });

  it("calls the provider once for each sample post", async () => {
    const allEnded = async () => (await openRuns(stack)) === 0;
    await until(allEnded, { everyMs: 200, what: "end of every run", progress: () => stack.output });
    const [{ count } = { count: 0 }] = await stack.query<{ count: number }>(
      "select count(*)::int from posts",
    );
    expect(await calls()).toBeLessThanOrEqual(count);
  });

  it("inserts the ten users of Sequin's guide", async () => {
    const users = await stack.query<{ email: string }>("select email from users order by email");
    expect(users).toHaveLength(10);
    expect(users.at(-1)).toEqual({ email: "john.doe@example.com" });
  });

  it("finds the right post first for a question that shares no word with it", async () => {
    const nearest = async (question: string) => {
      const vector = JSON.stringify(await vectorOf(stack, question));
      const [row] = await stack.query<{ title: string }>(
        "select title from post_embeddings join posts on id = post_id order by embedding <=> $1::vector limit 1",
        [vector],
      );
      return row?.title;
    };
    expect(await nearest("dog obedience")).toBe("Training a puppy");
    expect(await nearest("pension money")).toBe("Saving for retirement");
    expect(await nearest("climbing trip outdoors")).toBe("A weekend in the mountains");
  });
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
      async () => (await embeddingsOf(id)).find((row) => row.content_hash !== before?.content_hash),
      { what: "the new embedding" },
    );
    expect(after.chunk).toBe(0);
  });

  it("an update of the author calls no provider and changes nothing", async () => {
    const id = await idOf(title);
    const [before] = await embeddingsOf(id);
    const callsBefore = await calls();
    const delivered = new RegExp(`update public\\.posts ${id} → 200`, "g");
    const deliveries = () => stack.output.match(delivered)?.length ?? 0;
    const completed = () => stack.output.match(/create-embedding-for-post completed/g)?.length ?? 0;
    const [deliveredBefore, completedBefore] = [deliveries(), completed()];
    await stack.query("update posts set author = 'Bob' where id = $1", [id]);
    await until(() => deliveries() > deliveredBefore && completed() > completedBefore, {
      what: "the run of the author's change",
    });
    expect(await calls()).toBe(callsBefore);
    expect(await embeddingsOf(id)).toEqual([before]);
  });

  it("a delete removes the embedding", async () => {
    const id = await idOf(title);
    expect(await stack.sql(`delete from posts where id = ${id}`)).toContain("DELETE 1");
    expect(await embeddingsOf(id)).toEqual([]);
  });

  it("a mistake is told with its place", async () => {
    await expect(stack.sql("select titel from posts")).rejects.toThrow(
      /column "titel" does not exist \(at character 8\)/,
    );
  });
});

describe("a user deleted with npm run sql", () => {
  it("the external system is told, then john.doe@example.com by one e-mail, and no address is kept", async () => {
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

  it("finds its data, and embeds all of it again when the model changed", async () => {
    stack = new DevStack(folder, ports, { LOCAL_EMBEDDING_MODEL: "hashing" });
    await stack.ready();
    expect(stack.output).not.toContain("inserted the sample");
    expect(await idOf("Training a puppy")).toBeDefined();
    await until(
      async () => (await stack.query("select from post_embeddings where model <> 'hashing'")).length === 0,
      { everyMs: 200, what: "every post to have an embedding of the new model" },
    );
    expect(await wrongEmbeddings(stack)).toEqual([]);
  });
});

describeOneKillEach(() => stack);
