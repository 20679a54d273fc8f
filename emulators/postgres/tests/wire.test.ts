import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { promisify } from "node:util";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, pgTable, text, vector } from "drizzle-orm/pg-core";
import { Pool } from "pg";
import { serialize } from "pg-protocol";
import { describe, expect, it } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { serverForTests } from "./server.ts";
import { textOf, WireClient } from "./wire-client.ts";

const { server, connect, wire } = serverForTests();

describe("the wire", () => {
  it("says N to encryption and goes on in plain text", async () => {
    const socket = createConnection(server().port, "127.0.0.1");
    const firstByte = async () => String((await once(socket, "data"))[0]).slice(0, 1);
    socket.write(serialize.requestSsl());
    expect(await firstByte()).toBe("N");
    socket.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]));
    expect(await firstByte()).toBe("N");
    socket.write(serialize.startup({ user: "postgres" }));
    expect(await firstByte()).toBe("R");
    socket.destroy();
  });

  it("gives each connection another key and closes a cancel request without an answer", async () => {
    const [a, b] = await Promise.all([wire(), wire()]);
    expect(textOf(a.frames, "K")).not.toBe(textOf(b.frames, "K"));
    const cancel = await WireClient.open(server().port);
    cancel.send(serialize.cancel(1, 2));
    await until(() => cancel.socket.closed, { what: "the closed socket" });
    expect(cancel.frames).toEqual([]);
  });

  it("refuses an unknown database, and an unknown protocol, with the reason", async () => {
    const lost = await WireClient.open(server().port);
    lost.send(serialize.startup({ user: "postgres", database: "elsewhere" }));
    expect(textOf(await lost.until("E"), "E")).toMatch(/SFATAL.*C3D000/);
    const old = await WireClient.open(server().port);
    old.send(Buffer.from([0, 0, 0, 8, 0, 2, 0, 0]));
    expect(textOf(await old.until("E"), "E")).toContain("C0A000");
  });

  it("tells a client of a newer minor version what it supports", async () => {
    const client = await WireClient.open(server().port);
    const packet = serialize.startup({ user: "postgres", "_pq_.extra": "1" });
    packet.writeInt32BE((3 << 16) | 2, 4);
    client.send(packet);
    const types = await client.typesUntil("Z");
    expect(types).toMatch(/^vRS+KZ$/);
  });

  it("carries parameters and results of several megabytes, as text and as binary", async () => {
    const client = await connect();
    const big = "ä'\\".repeat(2_000_000);
    const { rows } = await client.query("select $1::text as back, length($1) as length", [big]);
    expect(rows[0].length).toBe(6_000_000);
    expect(rows[0].back === big).toBe(true);
    const bytes = Buffer.alloc(5_000_000, 0xa7);
    const raw = await wire();
    raw.send(
      serialize.parse({ text: "select $1::bytea, 7::int4" }),
      serialize.bind({ values: [bytes], binary: true }),
      serialize.execute({}),
      serialize.sync(),
    );
    const row = (await raw.until("Z")).find(({ type }) => type === "D")?.bytes;
    expect(row?.subarray(11, -8).equals(bytes)).toBe(true);
    expect(row?.readInt32BE(row.length - 4)).toBe(7);
    const literal = await client.query(`select length('${"it''s ".repeat(1_000_000)}') as length`);
    expect(literal.rows).toEqual([{ length: 5_000_000 }]);
  });

  it("carries many rows, and lets others go on while their reader is slow", async () => {
    const slow = await wire();
    slow.socket.pause();
    const query = serialize.query("select repeat('x', 1000) from generate_series(1, 20000)");
    slow.send(query, query);
    expect((await (await connect()).query("select 1 as answer")).rows).toEqual([{ answer: 1 }]);
    slow.socket.resume();
    for (let answer = 0; answer < 2; answer++) {
      expect((await slow.until("Z")).filter(({ type }) => type === "D")).toHaveLength(20_000);
    }
  });

  it("answers every statement of a simple query up to its error", async () => {
    const client = await wire();
    const answer = await client.query(
      "create table several (a int); insert into several values (1); select 1/0; select 2",
    );
    expect(answer.map(({ type }) => type).join("")).toMatch(/^CCT?EZ$/);
    expect(textOf(await client.query("select to_regclass('several') is null"), "D")).toContain("t");
  });

  it("runs pgvector's nearest-neighbour search", async () => {
    const client = await connect();
    await client.query("create extension vector");
    await client.query("create table points (name text, at vector(3))");
    await client.query("create index on points using hnsw (at vector_cosine_ops)");
    await client.query("insert into points values ('x', '[1,0,0]'), ('y', '[0,1,0]')");
    const { rows } = await client.query("select name from points order by at <=> $1 limit 1", [
      "[0.9,0.1,0]",
    ]);
    expect(rows).toEqual([{ name: "x" }]);
  });
});

describe("known clients", () => {
  const notes = pgTable("notes", {
    id: bigint({ mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    body: text().notNull(),
    at: vector({ dimensions: 3 }),
  });

  it("serves drizzle on a pool of five with parallel transactions", async () => {
    const pool = new Pool({ connectionString: server().url, max: 5 });
    const database = drizzle(pool);
    await database.execute(
      "create table notes (id bigint primary key generated always as identity, body text not null, at vector(3))",
    );
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        database
          .transaction(async (transaction) => {
            await transaction.insert(notes).values({ body: `note ${index}`, at: [index, 1, 0] });
            if (index % 2 === 1) transaction.rollback();
          })
          .catch(() => {}),
      ),
    );
    const kept = await database.select().from(notes);
    expect(kept.map(({ body }) => Number(body.slice(5)) % 2)).toEqual(Array(20).fill(0));
    await pool.end();
  });

  const psql = hasPsql();
  it.skipIf(!psql)("serves psql's \\d, \\dt, transactions and \\copy refusal (needs psql)", async () => {
    const commands = [
      "create table pets (name text)",
      "\\d pets",
      "\\dt",
      "begin",
      "rollback",
      "\\copy pets from /dev/null",
      "select 'alive'",
    ];
    const run = promisify(execFile)("psql", [
      server().url,
      ...commands.flatMap((command) => ["-c", command]),
    ]);
    const { stdout, stderr } = await run;
    expect(stdout).toContain('Table "public.pets"');
    expect(stdout).toMatch(/ public \| pets +\| table/);
    expect(stderr).toContain("COPY FROM STDIN is not supported by the local Postgres");
    expect(stdout).toContain("alive");
  });
});

function hasPsql(): boolean {
  try {
    execFileSync("psql", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
