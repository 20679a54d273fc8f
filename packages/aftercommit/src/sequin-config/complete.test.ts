import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as config from "@/aftercommit.config.ts";
import { parseConfig } from "@/emulators/sequin/config/load.ts";
import { read } from "@/tests/helpers/documents.ts";
import { declarationsOf } from "../declare/declarations.ts";
import { defineDeletion, defineEmbedding, defineTrigger } from "../define.ts";
import { completeSequinYaml, sequinProblems } from "./complete.ts";
import { completePublication } from "./publication.ts";

const ours = read("sequin.yaml");
const declarations = declarationsOf(config);

const comments = defineEmbedding({ row: "comment", table: "blog.Comment", key: "id", text: ["body"] });
const accounts = defineDeletion({ row: "account", table: "public.accounts", key: "id", when: "deleted_at" });
const orders = defineTrigger({
  row: "order",
  table: "public.order",
  key: "id",
  actions: ["insert", "update"],
  task: "send-invoice",
});

/** How Sequin reads the file. */
const load = (text: string) =>
  parseConfig(text, { DATABASE_URL: "postgres://a:b@c:5432/d", SEQUIN_WEBHOOK_SECRET: "s" }, () => {});

const lines = (text: string) => text.split("\n");

it("finds that the sequin.yaml of this repository fits aftercommit.config.ts", () => {
  expect(sequinProblems(ours, declarations)).toEqual([]);
  expect(completeSequinYaml(ours, declarations)).toEqual({ text: ours, changes: [], notes: [] });
});

describe("without a file", () => {
  it("creates one that Sequin accepts, with a sink and a published table for each declaration", () => {
    const all = [...declarations, comments, accounts, orders];
    const { text } = completeSequinYaml(undefined, all);
    expect(sequinProblems(text, all)).toEqual([]);
    const { database, sinks } = load(text);
    expect(database.publication).toEqual({
      name: "sequin_pub",
      tables: [
        { schema: "public", name: "posts" },
        { schema: "public", name: "users" },
        { schema: "blog", name: "Comment" },
        { schema: "public", name: "accounts" },
        { schema: "public", name: "order" },
      ],
      schemas: [],
    });
    expect(
      sinks.map(({ name, url, actions, initialBackfill, batch, batchSize, source }) => ({
        name,
        path: new URL(url).pathname,
        tables: source.includeTables,
        actions: actions.join(),
        initialBackfill,
        batch: batch && batchSize,
      })),
    ).toEqual([
      {
        name: "posts-embedding",
        path: "/api/create-embedding-for-post",
        tables: ["public.posts"],
        actions: "insert,update,delete",
        initialBackfill: true,
        batch: 500,
      },
      {
        name: "users-deletion",
        path: "/api/delete-user",
        tables: ["public.users"],
        actions: "delete",
        initialBackfill: false,
        batch: false,
      },
      {
        name: "comments-embedding",
        path: "/api/create-embedding-for-comment",
        tables: ["blog.Comment"],
        actions: "insert,update,delete",
        initialBackfill: true,
        batch: 500,
      },
      {
        name: "accounts-deletion",
        path: "/api/delete-account",
        tables: ["public.accounts"],
        actions: "insert,update,delete",
        initialBackfill: false,
        batch: false,
      },
      {
        name: "order-send-invoice",
        path: "/api/send-invoice",
        tables: ["public.order"],
        actions: "insert,update",
        initialBackfill: false,
        batch: 500,
      },
    ]);
  });

  it("creates the one of this repository, except the comments in its sinks", () => {
    expect(parse(completeSequinYaml(undefined, declarations).text)).toEqual(parse(ours));
  });
});

describe("a file that a person has edited", () => {
  const edited = ours
    .replace('name: "posts-embedding"', 'name: "articles" # as we call them')
    .replace("batch_size: 500", "batch_size: 50\n    max_retry_count: 20")
    .replace(
      '"create publication sequin_pub for table public.posts, public.users with (publish_via_partition_root = true)"',
      "CREATE PUBLICATION sequin_pub FOR TABLE audit, Posts WITH (publish = 'insert')",
    )
    .replace("actions: [delete]", "actions: [delete, insert] # too many")
    .concat(
      '\n  # ours\n  - name: "audit"\n    database: "aftercommit"\n    destination: { type: "webhook", http_endpoint: "app", http_endpoint_path: "/api/audit" }\n',
    );

  it("is compared, with a list of what to remove and to add", () => {
    expect(sequinProblems(edited, [...declarations, comments])).toEqual([
      'publication sequin_pub: + public.users, "blog"."Comment" (where it exists already: alter publication sequin_pub add table public.users, "blog"."Comment")',
      "sink users-deletion: actions: - [delete, insert] + [delete]",
      "+ sink comments-embedding",
    ]);
  });

  it("keeps every other line, comments too, and the sinks of no declaration, which are named", () => {
    const { text, notes } = completeSequinYaml(edited, declarations);
    expect(notes).toEqual(["sink audit belongs to no declaration, and stays"]);
    expect(lines(text).filter((line) => !lines(edited).includes(line))).toEqual([
      "      init_sql: CREATE PUBLICATION sequin_pub FOR TABLE audit, Posts, public.users WITH (publish = 'insert')",
      "    actions: [delete] # too many",
    ]);
    expect(lines(text)).toHaveLength(lines(edited).length);
    expect(sequinProblems(text, declarations)).toEqual([]);
  });

  it("gets another name for a new sink whose name is taken", () => {
    const taken = ours.replace('"users-deletion"', '"comments-embedding"');
    const { text } = completeSequinYaml(taken, [...declarations, comments]);
    expect(load(text).sinks.map(({ name }) => name)).toEqual([
      "posts-embedding",
      "comments-embedding",
      "comments-embedding-2",
    ]);
  });

  it("is left alone if it publishes all tables, and gets a statement if it has none", () => {
    const published = (sql: string) => ours.replace(/init_sql: .*/, sql);
    const everything = published('init_sql: "create publication sequin_pub for all tables"');
    expect(sequinProblems(everything, declarations)).toEqual([]);
    const { text } = completeSequinYaml(published("# none"), declarations);
    expect(load(text).database.publication?.tables).toHaveLength(2);
  });

  const [posts, users] = ["public.posts", "public.users"];
  it.each([
    ["tables in schema blog, public with (publish = 'insert')", undefined],
    ["table posts, users, tables in schema blog /* all of it */", undefined],
    ["tables in schema blog", "tables in schema blog, table public.posts, public.users"],
    [
      "table a, tables in schema public_2;",
      "table a, tables in schema public_2, table public.posts, public.users;",
    ],
  ])("keeps its statement: for %s", (objects, expected) => {
    const statement = "Create Publication my_pub for";
    const completed = completePublication(`${statement} ${objects}`, "my_pub", declarations);
    expect(completed?.sql).toBe(expected && `${statement} ${expected}`);
  });

  it.each([
    ["create publication p for table posts -- and later: users", users],
    ["create publication p with (publish = 'insert')", `${posts}, ${users}`],
    ["create publication p for table posts; grant select on posts to sequin", `${posts}, ${users}`],
  ])("is an error if its statement is not understood: %s", (statement, missing) => {
    expect(() => completePublication(statement, "p", declarations)).toThrow(
      `sequin.yaml: add these tables to the publication in init_sql: ${missing}`,
    );
  });

  describe("for other purposes too", () => {
    const billing = '  - name: "app"\n    url: "https://billing.example.com"\n';
    const endpointsOf = (text: string) => load(text).sinks.map(({ name, url }) => [name, new URL(url).host]);
    const other = ours.replace(/ {2}- name: "app"[\s\S]*?\n\n/, `${billing}\n`);

    it("gets an endpoint with the routes' secret for new sinks, and a note on a sink without one", () => {
      const { text, changes, notes } = completeSequinYaml(other, [...declarations, comments]);
      expect(changes.slice(1)).toEqual(["+ http endpoint app-2", "+ sink comments-embedding"]);
      expect(notes).toEqual([
        "sink posts-embedding delivers to app, an endpoint without SEQUIN_WEBHOOK_SECRET here",
        "sink users-deletion delivers to app, an endpoint without SEQUIN_WEBHOOK_SECRET here",
      ]);
      expect(endpointsOf(text)).toEqual([
        ["posts-embedding", "billing.example.com"],
        ["users-deletion", "billing.example.com"],
        ["comments-embedding", "host.docker.internal:3000"],
      ]);
    });

    it("gets its first endpoint and its first database", () => {
      const { text, changes } = completeSequinYaml('account: { name: "aftercommit" }', declarations);
      expect(parse(text)).toEqual(parse(ours));
      expect(changes).toContain("+ database aftercommit");
    });

    it("is completed at the database whose url is DATABASE_URL, and is an error if that is not one", () => {
      const second = '  - name: "stock"\n    url: "postgres://stock:5432/stock"\n';
      const two = ours.replace("databases:\n", `databases:\n${second}`);
      expect(sequinProblems(two, declarations)).toEqual([]);
      expect(parse(completeSequinYaml(two, [comments]).text).sinks.at(-1).database).toBe("aftercommit");
      expect(() => sequinProblems(two.replace("stock:5432", "DATABASE_URL"), declarations)).toThrow(
        /^sequin\.yaml: which of the databases stock, aftercommit has the declared tables\?/,
      );
    });
  });

  it("is an error if it is not YAML", () => {
    expect(() => sequinProblems("sinks: [", declarations)).toThrow(/^sequin\.yaml: /);
  });
});
