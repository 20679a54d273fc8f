import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import { openai } from "../../packages/aftercommit/src/providers/openai.ts";
import { databaseForTests } from "../helpers/posts-database.ts";
import { createKnown, type Known } from "./known.ts";
import type { Call, Mail } from "./mails.ts";
import { figuresOf, print } from "./report.ts";
import { distance, judgeDeletions, undiscovered } from "./truth.ts";

const database = databaseForTests();
const user = { id: randomUUID(), email: "soak-0@example.com" };
const mail: Mail = {
  id: "1",
  to: [user.email],
  messageId: "<1@example.com>",
  receivedAt: new Date("2026-01-01T00:00:02Z"),
};

let pool: pg.Pool;
let known: Known;
let releasedAt: Map<string, number>;
let mails: Mail[];
let calls: Call[];

const asks = {
  query: async <T extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await pool.query<T>(text, values)).rows,
};

/** The lines of the table that are marked as wrong. */
async function wrongLines(): Promise<string[]> {
  const rows = (await distance(asks)) ?? expect.fail("The database does not answer");
  const users = await judgeDeletions(asks, { known, releasedAt }, { mails, calls });
  const nothing = {
    again: 0,
    storms: new Map(),
    died: new Map(),
    unstopped: 0,
    settledMs: 0,
    inputs: 1,
    wrongVectors: 0,
    shortened: 0,
  };
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const isRight = print(figuresOf({ ...nothing, known, rows, users }));
  const wrong = lines.filter((line) => line.endsWith("×")).map((line) => line.replace(/ +\d+ +×$/, ""));
  expect(isRight).toBe(wrong.length === 0);
  return wrong;
}

beforeAll(() => {
  pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
});
afterAll(() => pool.end());
beforeEach(async () => {
  const tables = ["posts", "post_embeddings", "users", "aftercommit.deletions", "aftercommit.pending"];
  for (const table of tables) await pool.query(`delete from ${table}`);
  known = createKnown();
  releasedAt = new Map();
  const id = String(await database.insertPost());
  known.inserted(id);
  const vector = new Float32Array(1_536).fill(0.1);
  const embed = async () => ({ vectors: [vector], tokens: 1, left: {} });
  await embedOne({ ...posts, providers: [{ ...openai(), embed }] }, id, { db: database.db });
  known.made.push(user);
  known.tried.add(user.id);
  known.deleting(user);
  await pool.query(
    `insert into aftercommit.deletions
       (source, row_id, position, accepted_xid, required_systems, systems, outcome, completed_at)
     values ('user', $1, '1:0', '1', '{crm}', $2, 'completed', '2026-01-01T00:00:03Z')`,
    [user.id, { crm: { done_at: "2026-01-01T00:00:01Z" } }],
  );
  mails = [mail];
  calls = [
    { at: new Date("2026-01-01T00:00:01Z"), system: "crm", userId: user.id, status: 204, lied: false },
  ];
});
afterEach(() => vi.restoreAllMocks());

it("accepts rows, deletions and e-mails that are as they should be", async () => {
  expect(await wrongLines()).toEqual([]);
  expect(await undiscovered(asks, known)).toBe(0);
});

const pending = (error: string) =>
  `insert into aftercommit.pending
     (source, row_id, queue, version, accepted_at, accepted_xid, next_attempt, error)
   select 'post', id::text, 'batch', 1, now(), '1', now(), ${error} from posts`;

it.each([
  ["the vectors of a post are gone", "delete from post_embeddings", ["posts: embedding lost"]],
  [
    "the vectors of a post are those of an older text",
    "update posts set body = 'another'",
    ["posts: embedding stale"],
  ],
  [
    "vectors are left of a post without text",
    "update posts set title = '', body = ''",
    ["posts: embedding stale", "posts: embedding orphaned"],
  ],
  ["a change is left in the inbox", pending("null"), ["posts: left in the inbox"]],
  ["a text is recorded as failed", pending("'the text was refused'"), ["posts: recorded as failed"]],
  ["a deletion is not in the ledger", "delete from aftercommit.deletions", ["deletions: lost"]],
  [
    "a deletion is not complete",
    "update aftercommit.deletions set completed_at = null, outcome = null",
    ["deletions: lost"],
  ],
  [
    "a deletion ended as if its user was there",
    "update aftercommit.deletions set outcome = 'row_is_back'",
    ["deletions: lost"],
  ],
  [
    "a user was deleted once and has two deletions",
    `insert into aftercommit.deletions (source, row_id, position, accepted_xid, required_systems)
     select source, row_id, '2:0', accepted_xid, required_systems from aftercommit.deletions`,
    ["deletions: nobody asked for"],
  ],
  [
    "an address is kept",
    "update aftercommit.deletions set email = 'x@example.com'",
    ["deletions: address kept"],
  ],
  [
    "a user is deleted whom no one deleted",
    `insert into users (id, first_name, last_name, email) values ('${user.id}', 'Soak', 'Test', '${user.email}')`,
    ["deletions: nobody asked for", "users notified by mistake"],
  ],
])("finds it when %s", async (_, sabotage, found) => {
  await pool.query(sabotage);
  expect(await wrongLines()).toEqual(found);
});

it("finds a deletion that has not been noticed yet", async () => {
  await pool.query("delete from aftercommit.deletions");
  expect(await undiscovered(asks, known)).toBe(1);
});

it.each<[string, Partial<Call>]>([
  ["never heard of him", { userId: randomUUID() }],
  ["failed", { status: 503 }],
  ["lied", { lied: true }],
])("finds it when a system that is recorded as clean %s", async (_, call) => {
  calls = calls.map((one) => ({ ...one, ...call }));
  expect(await wrongLines()).toEqual(["deletions: a system called clean that is not"]);
});

it("is content with a deletion that ended because its user is there, and finds a call or a mail about him", async () => {
  known.tried.clear();
  [mails, calls] = [[], []];
  await pool.query("update aftercommit.deletions set outcome = 'row_is_back'");
  await pool.query("insert into users (id, first_name, last_name, email) values ($1, 'Soak', 'Test', $2)", [
    user.id,
    user.email,
  ]);
  expect(await wrongLines()).toEqual([]);
  calls = [{ at: new Date(), system: "crm", userId: user.id, status: 503, lied: false }];
  expect(await wrongLines()).toEqual(["users notified by mistake"]);
});

it("finds a call or a mail about a user who was on hold", async () => {
  const release = (time: string) => releasedAt.set(user.id, Date.parse(time));
  release("2026-01-01T00:00:01Z");
  expect(await wrongLines()).toEqual([]);
  for (const time of ["2026-01-01T00:00:01.5Z", "2026-01-01T00:00:03Z"]) {
    release(time);
    expect(await wrongLines()).toEqual(["deletions: continued while on hold"]);
  }
});

it.each<[string, Mail[], string[]]>([
  ["is missing", [], ["mails: missing"]],
  ["came too early", [{ ...mail, receivedAt: new Date(0) }], ["mails: before clean-up"]],
  ["came as two messages", [mail, { ...mail, messageId: "<2@example.com>" }], ["mails: a second message"]],
  ["came twice although nothing died", [mail, mail], ["mails: a second copy, with one Message-ID"]],
])("finds it when the mail %s", async (_, received, found) => {
  mails = received;
  expect(await wrongLines()).toEqual(found);
});
