export type Row = Readonly<Record<string, string | null>>;

/** What happened to a row, in the tables of the sample app. `before` is the whole row. */
export type Event = { table: "posts" | "users" | "notes" } & (
  | { action: "insert" | "read"; after: Row }
  | { action: "update"; before: Row; after: Row }
  | { action: "delete"; before: Row }
  | { action: "truncate" }
);

export type Case = {
  name: string;
  /** The events of each commit, in the order of the commits. */
  commits: Event[][];
  /** The replica identity of all tables. */
  identity?: "default" | "full";
  /** How often the changes are delivered. Default: once. */
  times?: number;
  reversed?: boolean;
  /** Whether invalid messages come among the changes. */
  malformed?: boolean;
  /** What is in the inbox for the posts, and in the ledger for the users. */
  inbox: { id: string; queue: "realtime" | "batch" }[];
  deletions: { id: string; email: string | null }[];
};

const time = "2026-02-03 04:05:06.789012+00";
const post = (id: string, columns: Row = {}): Row => ({
  id,
  title: "A title",
  body: "A body",
  author: "Alice",
  created_at: time,
  updated_at: time,
  ...columns,
});

const uuid = (n: number) => `20f5cc55-b218-4aad-8fa7-${String(n).padStart(12, "0")}`;
const user = (n: number, columns: Row = {}): Row => ({
  id: uuid(n),
  first_name: "Ada",
  last_name: "Lovelace",
  email: `ada+${n}@example.com`,
  created_at: time,
  updated_at: time,
  ...columns,
});

const insert = (row: Row): Event => ({ table: "posts", action: "insert", after: row });
const update = (before: Row, set: Row): Event => ({
  table: "posts",
  action: "update",
  before,
  after: { ...before, ...set },
});
const addUser = (row: Row): Event => ({ table: "users", action: "insert", after: row });
const deleteUser = (row: Row): Event => ({ table: "users", action: "delete", before: row });

const edit = (id: string) => ({ id, queue: "realtime" }) as const;
const deleted = (n: number, email: string | null = `ada+${n}@example.com`) => ({ id: uuid(n), email });
const LONG = Array.from({ length: 4_000 }, (_, n) =>
  String.fromCodePoint(0x4e00 + ((n * 7_919) % 20_000)),
).join("");
const numbers = Array.from({ length: 25 }, (_, n) => n + 1);

/** What each source must bring about. */
export const CASES: Case[] = [
  { name: "an insert", commits: [[insert(post("1"))]], inbox: [edit("1")], deletions: [] },
  {
    name: "an update of the text",
    commits: [[insert(post("1"))], [update(post("1"), { title: "Another" })]],
    inbox: [edit("1")],
    deletions: [],
  },
  {
    name: "a change of the key",
    commits: [[insert(post("1"))], [update(post("1"), { id: "2" })]],
    inbox: [edit("1"), edit("2")],
    deletions: [],
  },
  {
    name: "a delete of a post",
    commits: [[insert(post("1"))], [{ table: "posts", action: "delete", before: post("1") }]],
    inbox: [edit("1")],
    deletions: [],
  },
  {
    name: "a delete with old values",
    commits: [[addUser(user(1))], [deleteUser(user(1))]],
    inbox: [],
    deletions: [deleted(1)],
  },
  {
    name: "a delete without old values",
    identity: "default",
    commits: [[addUser(user(1))], [deleteUser(user(1))]],
    inbox: [],
    deletions: [deleted(1, null)],
  },
  {
    name: "an update that leaves a TOASTed value unchanged",
    identity: "default",
    commits: [[insert(post("1", { body: LONG }))], [update(post("1", { body: LONG }), { title: "Another" })]],
    inbox: [edit("1")],
    deletions: [],
  },
  {
    name: "a truncation, which names no row",
    commits: [[addUser(user(1))], [{ table: "users", action: "truncate" }]],
    inbox: [],
    deletions: [],
  },
  {
    name: "a deleted row with an empty text",
    commits: [[addUser(user(1, { email: "" }))], [deleteUser(user(1, { email: "" }))]],
    inbox: [],
    deletions: [deleted(1, null)],
  },
  {
    name: "bigint keys that a JSON number cannot hold",
    commits: [[insert(post("9007199254740993"))], [insert(post("-9223372036854775808"))]],
    inbox: [edit("-9223372036854775808"), edit("9007199254740993")],
    deletions: [],
  },
  {
    name: "changes that are delivered twice",
    times: 2,
    commits: [[insert(post("1"))], [addUser(user(1))], [deleteUser(user(1))]],
    inbox: [edit("1")],
    deletions: [deleted(1)],
  },
  {
    name: "changes that come in reverse",
    reversed: true,
    commits: [
      [insert(post("1"))],
      [update(post("1"), { id: "2" })],
      [addUser(user(1))],
      [deleteUser(user(1))],
    ],
    inbox: [edit("1"), edit("2")],
    deletions: [deleted(1)],
  },
  {
    name: "two deletions of the same key",
    commits: [[addUser(user(1))], [deleteUser(user(1))], [addUser(user(1))], [deleteUser(user(1))]],
    inbox: [],
    deletions: [deleted(1), deleted(1)],
  },
  {
    name: "a commit of many rows",
    commits: [numbers.map((n) => insert(post(String(n))))],
    inbox: numbers.map((n) => ({ id: String(n), queue: "batch" })),
    deletions: [],
  },
  {
    name: "many deletions in one commit",
    commits: [numbers.map((n) => addUser(user(n))), numbers.map((n) => deleteUser(user(n)))],
    inbox: [],
    deletions: numbers.map((n) => deleted(n)),
  },
  {
    name: "the rows of a snapshot",
    commits: [
      [
        { table: "posts", action: "read", after: post("1") },
        { table: "users", action: "read", after: user(1) },
      ],
    ],
    inbox: [{ id: "1", queue: "batch" }],
    deletions: [],
  },
  {
    name: "a change of a table that is not declared",
    commits: [
      [{ table: "notes", action: "insert", after: { id: "1", body: "A note" } }],
      [insert(post("1"))],
    ],
    inbox: [edit("1")],
    deletions: [],
  },
  {
    name: "invalid messages among changes",
    malformed: true,
    commits: [[insert(post("1"))], [addUser(user(1))], [deleteUser(user(1))]],
    inbox: [edit("1")],
    deletions: [deleted(1)],
  },
];
