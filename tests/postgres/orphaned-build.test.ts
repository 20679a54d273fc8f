import { Socket } from "node:net";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildVectorIndex } from "../../packages/aftercommit/src/models/vector-index.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { realPostgres } from "../helpers/real-postgres.ts";
import { until } from "../helpers/until.ts";

const INDEX = "post_embeddings_model_1";
const TABLE = { schema: "public", name: "post_embeddings" };
const model = { id: 1, dimensions: 4, indexType: "halfvec" } as const;

describe.skipIf(!realPostgres)("an index whose builder was killed (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let writer: Client;
  let watcher: Client;
  const clients: Client[] = [];

  beforeAll(async () => {
    database = await startMigratedPostgres();
    [writer, watcher] = [await connect(), await connect()];
    await watcher.query("update aftercommit.models set dimensions = 4");
    await watcher.query("insert into posts (title, body, author) values ('Title', 'Body', 'Alice')");
  });
  afterAll(async () => {
    for (const client of clients) await client.end();
    await database.close();
  });

  async function connect(socket = new Socket()): Promise<Client> {
    const client = new Client({ connectionString: database.url, stream: () => socket });
    client.on("error", () => {});
    await client.connect();
    clients.push(client);
    return client;
  }

  async function indexes(): Promise<{ oid: number; valid: boolean }[]> {
    const { rows } = await watcher.query(
      "select indexrelid::int as oid, indisvalid as valid from pg_index where indexrelid = to_regclass($1)",
      [INDEX],
    );
    return rows;
  }

  it("is awaited while the server goes on with it, and not built again", async () => {
    // A build waits for the end of all writers.
    await writer.query("begin");
    await writer.query("update post_embeddings set tokens = tokens");
    const socket = new Socket();
    buildVectorIndex(await connect(socket), TABLE, model).catch(() => {});
    const [growing] = await until(async () => ((await indexes()).length > 0 ? await indexes() : undefined), {
      what: "index that is being built",
    });
    expect(growing).toMatchObject({ valid: false });
    socket.destroy();

    const next = buildVectorIndex(await connect(), TABLE, model);
    await until(
      async () =>
        ((await watcher.query("select from pg_stat_activity where query like '%growing%'")).rowCount ?? 0) >
        1,
      {
        what: "look of the next builder",
      },
    );
    await writer.query("commit");
    await next;
    expect(await indexes()).toEqual([{ oid: growing?.oid, valid: true }]);
  });

  it("is built again where nobody goes on with it", async () => {
    await watcher.query("update pg_index set indisvalid = false where indexrelid = to_regclass($1)", [INDEX]);
    const [left] = await indexes();
    await buildVectorIndex(await connect(), TABLE, model);
    const [built] = await indexes();
    expect(built).toMatchObject({ valid: true });
    expect(built?.oid).not.toBe(left?.oid);
  });
});
