import { Pool } from "pg";
import { serialize } from "pg-protocol";
import { describe, expect, it } from "vitest";
import { serverForTests } from "./server.ts";
import { textOf } from "./wire-client.ts";

const { server, connect, wire } = serverForTests();

const insertBatch = (value: string) => [
  serialize.parse({ text: "insert into marks values ($1)" }),
  serialize.bind({ values: [value] }),
  serialize.execute({}),
];

describe("one session for many clients", () => {
  it("never mixes up answers when two clients queue parameterised queries behind a third's transaction", async () => {
    const [holder, left, right] = await Promise.all([connect(), connect(), connect()]);
    let wrong = 0;
    for (let round = 0; round < 1_000; round++) {
      await holder.query("begin");
      const ask = async (client: typeof holder, answer: string) => {
        const { rows } = await client.query("select $1::text as answer, $2::int as round", [answer, round]);
        if (rows.length !== 1 || rows[0].answer !== answer || rows[0].round !== round) wrong += 1;
      };
      const queued = [ask(left, `left ${round}`), ask(right, `right ${round}`)];
      await ask(holder, `holder ${round}`);
      await holder.query("commit");
      await Promise.all(queued);
    }
    expect(wrong).toBe(0);
  });

  it("serves a pool whose read-then-write transactions overlap without losing an update", async () => {
    const pool = new Pool({ connectionString: server().url, max: 5 });
    await pool.query("create table counters (value int not null)");
    await pool.query("insert into counters values (0)");
    const add = async () => {
      const client = await pool.connect();
      await client.query("begin");
      const { rows } = await client.query("select value from counters where value >= $1", [0]);
      await client.query("update counters set value = $1", [rows[0].value + 1]);
      await client.query("commit");
      client.release();
    };
    await Promise.all(Array.from({ length: 200 }, add));
    const { rows } = await pool.query("select value from counters");
    expect(rows).toEqual([{ value: 200 }]);
    await pool.end();
  });

  it("answers waiting clients first come, first served, one unit each", async () => {
    const [holder, first, second] = await Promise.all([wire(), wire(), wire()]);
    await holder.query("create table turns (id int generated always as identity, who text)");
    await holder.query("begin");
    const insert = (who: string) => serialize.query(`insert into turns (who) values ('${who}')`);
    first.send(insert("first"), insert("first"), insert("first"));
    // A response to a later connection shows that the server has read what came before.
    await wire();
    second.send(insert("second"));
    await holder.query("commit");
    for (let answers = 0; answers < 3; answers++) await first.until("Z");
    await second.until("Z");
    const order = textOf(await holder.query("select string_agg(who, ' ' order by id) from turns"), "D");
    expect(order).toContain("first second first first");
  });
});

describe("a unit of the extended protocol", () => {
  it("does not start before its Sync, so a slow sender keeps nobody waiting", async () => {
    const [slow, other] = await Promise.all([wire(), connect()]);
    await other.query("create table marks (value text)");
    slow.send(...insertBatch("slow"));
    const { rows } = await other.query("select count(*)::int as marks from marks");
    expect(rows).toEqual([{ marks: 0 }]);
    slow.send(serialize.sync());
    expect(await slow.typesUntil("Z")).toBe("12CZ");
  });

  it("answers a Flush and keeps the session until the Sync", async () => {
    const [client, other] = await Promise.all([wire(), wire()]);
    client.send(...insertBatch("flushed"), serialize.flush());
    expect(await client.typesUntil("C")).toBe("12C");
    other.send(serialize.query("select count(*) from marks where value = 'flushed'"));
    client.send(...insertBatch("flushed"), serialize.flush());
    expect(await client.typesUntil("C")).toBe("12C");
    expect(other.frames.some(({ type }) => type === "D")).toBe(false);
    client.send(serialize.sync());
    await client.until("Z");
    expect(textOf(await other.until("Z"), "D")).toContain("2");
  });

  it("answers every pipelined batch in order and skips to the Sync after an error", async () => {
    const client = await wire();
    const bad = [
      serialize.parse({ text: "select 1/$1::int" }),
      serialize.bind({ values: ["0"] }),
      serialize.execute({}),
    ];
    client.send(...insertBatch("a"), serialize.sync(), ...bad, ...insertBatch("never"), serialize.sync());
    client.send(...insertBatch("b"), ...insertBatch("c"), serialize.sync());
    expect(await client.typesUntil("Z")).toBe("12CZ");
    expect(await client.typesUntil("Z")).toMatch(/^12?EZ$/);
    expect(await client.typesUntil("Z")).toBe("12C12CZ");
    const never = await client.query("select count(*) from marks where value = 'never'");
    expect(textOf(never, "D")).toContain("0");
  });

  it("keeps a failed transaction failed until its rollback", async () => {
    const [client, other] = await Promise.all([connect(), connect()]);
    await client.query("begin");
    await expect(client.query("select 1/$1::int", [0])).rejects.toMatchObject({ code: "22012" });
    await expect(client.query("select 1")).rejects.toMatchObject({ code: "25P02" });
    const queued = other.query("select 'fine' as answer");
    await client.query("rollback");
    expect((await queued).rows).toEqual([{ answer: "fine" }]);
  });
});
