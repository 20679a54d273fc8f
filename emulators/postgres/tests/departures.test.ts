import { serialize } from "pg-protocol";
import { describe, expect, it } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { serverForTests } from "./server.ts";
import { textOf } from "./wire-client.ts";

const { server, connect, wire } = serverForTests({ idleInTransactionMs: 700 });

const count = async () => {
  const { rows } = await (await connect()).query("select count(*)::int as rows from kept");
  return rows[0].rows;
};

describe("a client that dies", () => {
  it("in a transaction is rolled back, and the next one goes on", async () => {
    await (await connect()).query("create table kept (value int)");
    const [dying, next] = await Promise.all([wire(), connect()]);
    await dying.query("begin; insert into kept values (1)");
    const queued = next.query("select 'next' as answer");
    dying.socket.destroy();
    expect((await queued).rows).toEqual([{ answer: "next" }]);
    expect(await count()).toBe(0);
  });

  it("between a Flush and its Sync has written nothing", async () => {
    const dying = await wire();
    dying.send(
      serialize.parse({ text: "insert into kept values (2)" }),
      serialize.bind({}),
      serialize.execute({}),
    );
    dying.send(serialize.flush());
    expect(await dying.typesUntil("C")).toBe("12C");
    dying.socket.destroy();
    expect(await count()).toBe(0);
  });

  it("in the queue loses its place, and what it asked for does not run", async () => {
    const [holder, dying] = await Promise.all([wire(), wire()]);
    await holder.query("begin");
    dying.send(serialize.query("insert into kept values (3)"));
    await wire();
    dying.socket.destroy();
    // A response to a connection after the destroy shows that the server has seen it.
    await wire();
    await holder.query("commit");
    expect(await count()).toBe(0);
  });

  it("is waited for no longer than the idle-in-transaction time", async () => {
    const [idle, next] = await Promise.all([wire(), connect()]);
    await idle.query("begin; insert into kept values (4)");
    const queued = next.query("select 'next' as answer");
    const ended = textOf(await idle.until("E"), "E");
    expect(ended).toContain("SFATAL|");
    expect(ended).toContain("C25P03|Mterminating connection due to idle-in-transaction timeout");
    expect((await queued).rows).toEqual([{ answer: "next" }]);
    expect(await count()).toBe(0);
    await until(() => idle.socket.closed, { what: "the closed socket" });
    expect(server().log.filter((line) => line.includes("idle in transaction"))).toHaveLength(1);
  });

  it("that breaks the framing ends alone, with the protocol's error", async () => {
    const other = await connect();
    for (const message of [
      Buffer.from("z\0\0\0\x04"),
      Buffer.from("Q\0\0\0\0"),
      Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
      Buffer.from("P\0\0\0\x06ab"),
    ]) {
      const broken = await wire();
      broken.send(message);
      if (message.toString().startsWith("P")) broken.send(serialize.sync());
      expect(textOf(await broken.until("E"), "E")).toMatch(/SFATAL\|.*C08P01\|/);
      await until(() => broken.socket.closed, { what: "the closed socket" });
    }
    expect((await other.query("select 'alive' as answer")).rows).toEqual([{ answer: "alive" }]);
    expect(server().port).toBeGreaterThan(0);
  });
});
