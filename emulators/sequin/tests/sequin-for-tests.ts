import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { type Database, openDatabase } from "./database.ts";
import { type Message, type Receiver, startReceiver } from "./receiver.ts";
import { type SinkYaml, startStack } from "./stack.ts";

type Options = Partial<Parameters<typeof startStack>[0]>;

/** A database for the surrounding tests. Each test has `tables` in it, and a new receiver. */
export function sequinForTests(tables = "") {
  let database: Database;
  let receiver: Receiver;
  let stack: Awaited<ReturnType<typeof startStack>> | undefined;
  beforeAll(async () => {
    database = await openDatabase();
  });
  beforeEach(async () => {
    receiver = await startReceiver();
    await database.empty();
    await database.sql(tables);
  });
  afterEach(async () => {
    await stack?.close();
    stack = undefined;
    await receiver.close();
  });
  afterAll(() => database.close());

  return {
    get database() {
      return database;
    },
    get receiver() {
      return receiver;
    },
    get stack() {
      if (!stack) throw new Error("It was not started");
      return stack;
    },
    async start(sink: SinkYaml = {}, options: Options = {}) {
      stack = await startStack({ databaseUrl: database.url, url: receiver.url, sinks: [sink], ...options });
      return stack;
    },
    sql: (text: string, values?: unknown[]) => database.sql(text, values),
    insert: (...ids: number[]) => database.sql("insert into posts select unnest($1::int[]), 'a'", [ids]),
    ids: () => receiver.messages().map(({ record }) => record.id),
    requests: (count: number) =>
      until(() => receiver.requests.length >= count, { what: `${count} requests` }),
    /** The messages in commit order, once there are this many. */
    async messages(count: number): Promise<Message[]> {
      await until(() => receiver.messages().length >= count, {
        what: `${count} messages`,
        progress: () => receiver.messages().length,
      });
      return receiver.messages().sort(({ metadata: a }, { metadata: b }) => {
        return (a.commit_lsn ?? 0) - (b.commit_lsn ?? 0) || (a.commit_idx ?? 0) - (b.commit_idx ?? 0);
      });
    },
    /** Resolves when this many messages are delivered or discarded, and that is stored. */
    settled: (count: number) =>
      until(
        async () => {
          const list = (await stack?.deliveries(1000)) ?? [];
          return list.length === count && list.every((one) => one.status !== "pending");
        },
        { what: `${count} finished messages`, progress: () => receiver.requests.length },
      ),
  };
}
