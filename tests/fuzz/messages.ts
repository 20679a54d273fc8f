import type { Chance } from "./chance.ts";

export const ROUTES = ["/api/create-embedding-for-post", "/api/delete-user"] as const;
export type Route = (typeof ROUTES)[number];

type Metadata = Record<string, unknown> & { record_pks: string[]; table_name: string };
export type Message = { action: string; record: object; changes: object | null; metadata: Metadata };

const MESSAGES_A_REQUEST = 32;

// JSON.parse makes an own property of each.
const HOSTILE: object = JSON.parse(
  '{"__proto__":{"admin":true},"constructor":{"prototype":{"id":1}},"prototype":null,"toString":0,"then":[],"":{}}',
);

function deep(levels: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < levels; level += 1) value = level % 2 ? [value] : { in: value };
  return value;
}

/** Columns that no table of the product has. Whatever they contain, the message means the same. */
const strangeColumns = (chance: Chance): object =>
  chance.one<() => object>([
    () => ({}),
    () => HOSTILE,
    () => ({ nested: deep(1 + chance.below(500)) }),
    () => ({ title: null, body: { text: chance.text(20) } }),
    () => ({ title: "unchanged_toast", views: 1e308, tiny: -0, [chance.text(8)]: chance.text(8) }),
    () => ({ title: "\ud800 half a pair", body: "\u0000" }),
    () => ({ long: chance.text(50).repeat(200) }),
  ])();

/** The nth message of a request, about a row that no other message is about. */
export function message(route: Route, unique: number, nth: number, chance: Chance): Message {
  const number = unique * MESSAGES_A_REQUEST + nth + 1;
  const isPost = route === "/api/create-embedding-for-post";
  const id = isPost ? String(number) : `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
  const columns = isPost ? { title: "T", body: "B", author: "A" } : { email: `u${number}@example.com` };
  return {
    action: isPost ? chance.one(["insert", "update", "delete", "read"]) : "delete",
    record: { ...columns, ...strangeColumns(chance), id: isPost ? number : id },
    changes: null,
    metadata: {
      table_schema: "public",
      table_name: isPost ? "posts" : "users",
      commit_timestamp: "2026-01-01T00:00:00Z",
      idempotency_key: `fuzz:${number}`,
      record_pks: [id],
      consumer: { id: "fuzz", name: "fuzz", annotations: chance.one([{}, HOSTILE]) },
    },
  };
}

/** The row that a message is about, as runs are tagged. */
export const rowOf = ({ metadata: { table_name, record_pks } }: Message) =>
  `${table_name === "posts" ? "post" : "user"}:${record_pks[0]}`;

/** A message of the sink that leads to no work. */
export function ignored(route: Route, unique: number, chance: Chance): Message {
  const good = message(route, unique, 0, chance);
  const elsewhere = {
    ...good.metadata,
    table_name: chance.one(["tags", "post_embeddings", "__proto__", ""]),
  };
  if (route === "/api/delete-user" && chance.below(2))
    return { ...good, action: chance.one(["insert", "update", "read"]) };
  return { ...good, metadata: elsewhere };
}

/** Values that are not messages. */
export function wrong(route: Route, unique: number, chance: Chance): unknown {
  const good = message(route, unique, 0, chance);
  const { record_pks: _, ...keyless } = good.metadata;
  const anything = () => chance.one<unknown>([null, 0, "", [], true, chance.text(9), [[]], -1e99]);
  return chance.one<() => unknown>([
    anything,
    () => ({ ...good, record: anything() }),
    () => ({
      ...good,
      action: chance.one<unknown>(["truncate", "INSERT", 1, null, {}, ["insert"], "__proto__"]),
    }),
    () => ({ ...good, metadata: anything() }),
    () => ({
      ...good,
      metadata: { ...good.metadata, record_pks: chance.one<unknown>([[1], "1", [null], {}]) },
    }),
    () => ({
      ...good,
      metadata: { ...good.metadata, idempotency_key: chance.one<unknown>([1, "", {}, []]) },
    }),
    () => ({
      ...good,
      record: {},
      metadata: { ...good.metadata, record_pks: [chance.one(["x", "1e3", " ", "1;drop"])] },
    }),
    () => ({
      ...good,
      record: { id: chance.one<unknown>([null, {}, [1], true, 1.5, 1e300]) },
      metadata: keyless,
    }),
    () => JSON.parse(`{"__proto__":${JSON.stringify(good)}}`),
    () => ({ constructor: { prototype: good } }),
    () => [good],
    () => deep(1 + chance.below(2_000)),
  ])();
}
