import { setTimeout as sleep } from "node:timers/promises";
import { asc } from "drizzle-orm";
import { posts } from "../../../aftercommit.config.ts";
import { posts as postsTable } from "../../../drizzle/schema.ts";
import { messageOf } from "../../../packages/aftercommit/src/errors.ts";
import { search } from "../../../packages/aftercommit/src/search/search.ts";
import type { databaseForTests } from "../posts-database.ts";
import { isBy, WIDTHS } from "./two-models.ts";
import type { Workers } from "./workers.ts";

const PAUSE_MS = 150;
const QUERIES = [
  "a lantern in the harbour",
  "an orchard of marmalade",
  "the weather",
  "violin and telescope",
];

type TestDatabase = ReturnType<typeof databaseForTests>;

/** Posts that someone edits and someone else searches, with all the texts that each has ever had. */
export class EditedPosts {
  readonly texts = new Map<string, string[]>();
  /** The titles of the existing posts, which no edit changes. */
  readonly #titles = new Map<string, string>();
  readonly #database: TestDatabase;
  readonly #workers: Workers;
  readonly #chance: () => number;
  #changes = 0;

  constructor(database: TestDatabase, workers: Workers, chance: () => number) {
    this.#database = database;
    this.#workers = workers;
    this.#chance = chance;
  }

  /** Reads the existing posts. */
  async know(): Promise<void> {
    const rows = await this.#database.db.select().from(postsTable).orderBy(asc(postsTable.id));
    for (const { id, title, body } of rows) this.#keep(String(id), title, body);
  }

  isThere(id: string): boolean {
    return this.#titles.has(id);
  }

  #keep(id: string, title: string, body: string): void {
    this.#titles.set(id, title);
    this.texts.set(id, [...(this.texts.get(id) ?? []), `${title}\n\n${body}`]);
  }

  /** One of the existing posts. */
  any(): string {
    const ids = [...this.#titles.keys()];
    return ids[Math.floor(this.#chance() * ids.length)] ?? "";
  }

  async update(id: string): Promise<void> {
    this.#changes += 1;
    const body = `Edited for the ${this.#changes}th time`;
    this.#keep(id, this.#titles.get(id) ?? "", body);
    await this.#database.updatePost(BigInt(id), { body });
    await this.#workers.deliver("update", id);
  }

  async delete(id: string): Promise<void> {
    this.#titles.delete(id);
    await this.#database.deletePost(BigInt(id));
    await this.#workers.deliver("delete", id);
  }

  async #change(): Promise<void> {
    const step = this.#chance();
    if (step < 0.7) return this.update(this.any());
    if (step < 0.85) return this.delete(this.any());
    this.#changes += 1;
    const post = { title: "New", body: `Added as the ${this.#changes}th change` };
    const id = String(await this.#database.insertPost(post));
    this.#keep(id, post.title, post.body);
    await this.#workers.deliver("insert", id);
  }

  /** Changes one post after another until it is stopped. Then it returns how many. */
  keepEditing() {
    const changes = this.#changes;
    const edit = async () => {
      await this.#workers.calm();
      await this.#change();
    };
    const loop = repeat(edit, PAUSE_MS);
    return async () => {
      await loop.stop();
      return this.#changes - changes;
    };
  }

  /** Searches continuously until it is stopped, and returns the results. */
  keepSearching() {
    const seen = { answers: 0, empty: 0, mixed: 0, failed: [] as string[] };
    const look = async () => {
      const q = QUERIES[seen.answers % QUERIES.length] ?? "";
      try {
        const { results: found } = await search({ ...posts, minScore: 0 }, { query: q, mode: "meaning" });
        const isWhole = Object.keys(WIDTHS).some((model) =>
          found.every(({ id, score }) => isBy(model, this.texts.get(id) ?? [], q, score)),
        );
        seen.answers += 1;
        if (found.length === 0) seen.empty += 1;
        else if (!isWhole) seen.mixed += 1;
      } catch (error) {
        seen.failed.push(messageOf(error));
      }
    };
    const loop = repeat(look, 20);
    return async () => {
      await loop.stop();
      return seen;
    };
  }
}

function repeat(work: () => Promise<void>, pauseMs: number) {
  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await work();
      // Not a wait: the pace of whoever works.
      await sleep(pauseMs);
    }
  })();
  loop.catch(() => {});
  return {
    stop() {
      stopped = true;
      return loop;
    },
  };
}
