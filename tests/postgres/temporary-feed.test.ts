import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { temporaryFeed } from "../../packages/aftercommit/src/capture/temporary-feed.ts";
import { connect, disconnect } from "../../packages/aftercommit/src/db/client.ts";
import { startMigratedPostgres } from "../helpers/postgres.ts";
import { realPostgres } from "../helpers/real-postgres.ts";
import { until } from "../helpers/until.ts";

describe.skipIf(!realPostgres)("a temporary publication (needs TEST_DATABASE_URL)", () => {
  let database: Awaited<ReturnType<typeof startMigratedPostgres>>;
  let client: Client;

  beforeAll(async () => {
    vi.spyOn(console, "info").mockImplementation(() => {});
    database = await startMigratedPostgres();
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await client.end();
    await disconnect();
    await database.close();
  });

  const feed = (declaration = posts) =>
    temporaryFeed({ db: connect(database.url), url: database.url, declarations: [declaration] });
  const ITS = "datname = current_database() and application_name = 'aftercommit: capture'";
  const left = async () => (await client.query(`select from pg_stat_activity where ${ITS}`)).rowCount;
  const publications = async () =>
    (await client.query("select pubname from pg_publication")).rows.map(({ pubname }) => pubname);

  it("is dropped by another process only when its own is gone, whether or not it reads its slot", async () => {
    const [first, second, third] = [feed(), feed(), feed()];
    await first.open();
    await second.open();
    expect((await publications()).toSorted()).toEqual([first.publication, second.publication].toSorted());
    await second.close();
    expect(await publications()).toEqual([first.publication]);

    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${ITS}`);
    await until(async () => (await left()) === 0, { what: "the end of its connection" });
    await third.open();
    expect(await publications()).toEqual([third.publication]);

    await first.open();
    await third.open();
    expect((await publications()).toSorted()).toEqual([first.publication, third.publication].toSorted());
    await Promise.all([first.close(), third.close()]);
    expect(await publications()).toEqual([]);
  });

  it("that cannot be created leaves no connection, which would keep the process alive", async () => {
    await expect(feed({ ...posts, table: { schema: "public", name: "nothing" } }).open()).rejects.toThrow();
    await until(async () => (await left()) === 0, { what: "the end of its connection" });
  });
});
