import { serialize } from "pg-protocol";
import { describe, expect, it } from "vitest";
import { serverForTests } from "./server.ts";
import { textOf } from "./wire-client.ts";

const { connect, wire } = serverForTests();

describe("COPY", () => {
  it.each([
    "copy notes from stdin",
    "COPY notes (body) FROM STDIN WITH (format csv)",
    "select 1; /* a comment */ copy\npublic.notes -- from 'file'\nfrom stdin",
    "copy notes from program 'ls'",
    "copy (select 1) to program 'ls'",
  ])("refuses %j by either protocol and keeps the connection", async (sql) => {
    const client = await connect();
    await client.query("create table if not exists notes (body text)");
    await expect(client.query(sql)).rejects.toMatchObject({ code: "0A000" });
    const extended = await (await wire()).extendedQuery(sql.replace("select 1;", ""));
    expect(extended.map(({ type }) => type).join("")).toBe("EZ");
    expect(textOf(extended, "E")).toContain("C0A000");
    expect((await client.query("select 'alive' as answer")).rows).toEqual([{ answer: "alive" }]);
  });

  it("fails the transaction that it is refused in", async () => {
    const client = await connect();
    await client.query("begin");
    await expect(client.query("copy notes from stdin")).rejects.toMatchObject({ code: "0A000" });
    await expect(client.query("select 1")).rejects.toMatchObject({ code: "25P02" });
    await client.query("rollback");
  });

  it("takes the words in a literal, a comment or a name for what they are", async () => {
    const client = await connect();
    await client.query('create table "copy x from stdin" (body text)');
    const insert = `insert into "copy x from stdin" values ('copy x from stdin'), (E'it\\'s; copy x from stdin'),
        ($q$; copy x from stdin $q$) /* /* ; */ copy x from stdin */ -- ; copy x from stdin`;
    expect(textOf(await (await wire()).extendedQuery(insert), "C")).toBe("INSERT 0 3|");
    await client.query(`select 1 as "a;"; select 'copy' as copy from "copy x from stdin" stdin`);
    const nested = await (await wire()).query(`copy (select body from "copy x from stdin") to stdout`);
    expect(nested.map(({ type }) => type).join("")).toBe("HdddcCZ");
    expect(textOf(nested, "C")).toBe("COPY 3|");
  });

  it("ignores COPY data that nobody asked for", async () => {
    const client = await wire();
    client.send(serialize.copyData(Buffer.from("x")), serialize.copyDone());
    expect(textOf(await client.query("select 'alive'"), "D")).toContain("alive");
  });
});
