import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Postgres, startPostgres } from "../../../local/postgres/start.ts";

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres({ dataDir: null, host: "127.0.0.1", port: 0, log: () => {} });
});
afterAll(() => postgres.close());

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  return client;
}

describe("one session for many clients", () => {
  it("never mixes up answers when two clients queue parameterised queries behind a third's transaction", async () => {
    const [holder, left, right] = await Promise.all([connect(), connect(), connect()]);
    const rounds = 3_000;
    let wrong = 0;
    for (let round = 0; round < rounds; round++) {
      await holder.query("begin");
      const expectAnswer = async (client: Client, answer: string) => {
        const { rows } = await client.query("select $1::text as answer, $2::int as round", [answer, round]);
        if (rows.length !== 1 || rows[0].answer !== answer || rows[0].round !== round) wrong += 1;
      };
      const queued = [expectAnswer(left, `left ${round}`), expectAnswer(right, `right ${round}`)];
      await expectAnswer(holder, `holder ${round}`);
      await holder.query("commit");
      await Promise.all(queued);
    }
    expect(wrong).toBe(0);
    await Promise.all([holder.end(), left.end(), right.end()]);
  });

  it("serves a pool whose transactions and single queries overlap", async () => {
    const pool = new Pool({ connectionString: postgres.url, max: 5 });
    await pool.query("create table counters (id int primary key, value int not null)");
    await pool.query("insert into counters values (1, 0)");
    const add = async () => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        const { rows } = await client.query("select value from counters where id = $1", [1]);
        await client.query("update counters set value = $1 where id = 1", [rows[0].value + 1]);
        await client.query("commit");
      } finally {
        client.release();
      }
    };
    await Promise.all(Array.from({ length: 200 }, add));
    const { rows } = await pool.query("select value from counters");
    expect(rows).toEqual([{ value: 200 }]);
    await pool.end();
  });
});
