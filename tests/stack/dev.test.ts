import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { until } from "../until.ts";
import { cloneProject } from "./clone.ts";
import { callsFor, completedDeletion, mailsTo, textOfMail } from "./deletions.ts";
import { choosePorts, DevStack, type Ports } from "./dev-stack.ts";
import { everyPostEmbedded, vectorOf, wrongEmbeddings } from "./embeddings.ts";
import { describeOneKillEach } from "./kills.ts";
import { countRuns, openRuns } from "./open-runs.ts";
import { countPosts, embeddingsOfPost, idOfPost } from "./posts.ts";
import { allProcesses, type Process } from "./processes.ts";
import { follow } from "./recipe.ts";
import { everythingSaid, secretsOf } from "./whispers.ts";

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

  it("an update of the author triggers no run and changes nothing", async () => {
    const id = await idOf(title);
    const [before] = await embeddingsOf(id);
    const callsBefore = await calls();
    const delivered = new RegExp(`update public\\.posts ${id} → 200`, "g");
    const deliveries = () => stack.output.match(delivered)?.length ?? 0;
    const deliveredBefore = deliveries();
    const runsBefore = await countRuns(stack);
    await stack.query("update posts set author = 'Bob' where id = $1", [id]);
    await until(() => deliveries() > deliveredBefore, { what: "delivery of the author's change" });
    expect(await countRuns(stack)).toBe(runsBefore);
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

describe("all that is said of it", () => {
  it("in the log, the ledger, the runs and the pages has no address, name, text or secret", async () => {
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
  let recipe: ReturnType<typeof follow>;

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

  it("finds its data, and says what to do about vectors of another model than the one that is set", async () => {
    recipe = follow(readFileSync("docs/embed-another-table.md", "utf8"), folder);
    stack = new DevStack(folder, ports, { LOCAL_EMBEDDING_MODEL: "hashing" });
    await stack.ready();
    expect(stack.output).not.toContain("inserted the sample");
    expect(await idOf("Training a puppy")).toBeDefined();
    expect(stack.output).toContain("npm run reembed -- --model hashing");
    const models = await stack.query("select name, state from embedding_models");
    expect(models).toEqual([{ name: "universal-sentence-encoder-lite", state: "active" }]);
  });

  it("makes all vectors anew by npm run reembed, and keeps those of the old model", async () => {
    const printed = await stack.command("reembed", "--model", "hashing");
    expect(printed).toContain("Search answers from hashing now.");
    expect(await stack.query("select name, state from embedding_models order by id")).toEqual([
      { name: "universal-sentence-encoder-lite", state: "retired" },
      { name: "hashing", state: "active" },
    ]);
    expect(await wrongEmbeddings(stack)).toEqual([]);
    expect(await stack.command("reembed", "--retire")).toContain("Retired universal-sentence-encoder-lite.");
    expect(await stack.query("select name from embedding_models")).toEqual([{ name: "hashing" }]);
  });

  it("embeds another table that was declared meanwhile as docs say, and search finds its rows", async () => {
    expect(recipe.files).toBe(3);
    // All beside the migration: imports and the sink in sequin.yaml, too.
    expect(recipe.added).toBeLessThanOrEqual(60);
    const insert = "insert into comments (post_id, text) values ($1, $2) returning id";
    const post = await idOf("Training a puppy");
    const [comment] = await stack.query<{ id: string }>(insert, [
      post,
      "My puppy learned to sit and to stay.",
    ]);
    await stack.query(insert, [post, "Put money aside for your old age."]);
    await until(async () => (await stack.query("select from comment_embeddings")).length === 2, {
      everyMs: 200,
      what: "embeddings of both comments",
      progress: () => stack.output,
    });
    const url = `http://127.0.0.1:${stack.ports.app}/api/search?q=a+puppy+that+learned+to+sit&in=comments`;
    const { results }: { results: { id: string; snippet: string }[] } = await (await fetch(url)).json();
    expect(results[0]).toMatchObject({ id: comment?.id, snippet: "My puppy learned to sit and to stay." });
  });
});

describeOneKillEach(() => stack);
