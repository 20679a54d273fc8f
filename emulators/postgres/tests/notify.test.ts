import type { Client } from "pg";
import { expect, it } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { serverForTests } from "./server.ts";

const { connect } = serverForTests();

function heardBy(client: Client): string[] {
  const heard: string[] = [];
  client.on("notification", ({ channel, payload }) => heard.push(`${channel}:${payload}`));
  return heard;
}

/** A response to a later query shows that every earlier notification has arrived. */
async function settled(...clients: Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.query("select 1")));
}

it("brings a notification to exactly those that listen on its channel, while they are idle", async () => {
  const [a, b, c, sender] = await Promise.all([connect(), connect(), connect(), connect()]);
  const [byA, byB, byC] = [heardBy(a), heardBy(b), heardBy(c)];
  await a.query("listen news");
  await b.query('listen "Other"; listen news');
  await sender.query("notify news, '1'; select pg_notify('Other', '2')");
  await until(() => byB.length === 2, { what: "both notifications at b" });
  await until(() => byA.length === 1, { what: "one notification at a" });
  await settled(a, b, c);
  expect([byA, byB, byC]).toEqual([["news:1"], ["news:1", "Other:2"], []]);
});

it("keeps a channel open for others when one client unlistens, discards or disconnects", async () => {
  const [kept, unlistens, discards, leaves, sender] = await Promise.all(
    Array.from({ length: 5 }, () => connect()),
  );
  if (!kept || !unlistens || !discards || !leaves || !sender) throw new Error("five clients");
  const heard = heardBy(kept);
  const others = [heardBy(unlistens), heardBy(discards), heardBy(leaves)];
  for (const client of [kept, unlistens, discards, leaves]) await client.query("listen shared");
  await unlistens.query("unlisten shared");
  await discards.query("discard all");
  await leaves.end();
  await sender.query("notify shared, 'still'");
  await until(() => heard.length === 1, { what: "the notification" });
  await kept.query("unlisten *");
  await sender.query("notify shared, 'nobody'");
  await settled(kept, unlistens, discards);
  expect([heard, ...others]).toEqual([["shared:still"], [], [], []]);
});

it("tells of a row that another client's trigger announces, at its commit", async () => {
  const [listener, writer] = await Promise.all([connect(), connect()]);
  const heard = heardBy(listener);
  await listener.query("listen rows");
  await writer.query(`create table announced (id int);
    create function announce() returns trigger language plpgsql as
      $$ begin perform pg_notify('rows', new.id::text); return new; end $$;
    create trigger announce after insert on announced for each row execute function announce()`);
  await writer.query("begin; insert into announced values (1); rollback");
  await writer.query("begin");
  await writer.query("insert into announced values ($1)", [2]);
  expect(heard).toEqual([]);
  await writer.query("commit");
  await until(() => heard.length === 1, { what: "the notification" });
  expect(heard).toEqual(["rows:2"]);
});

it("counts LISTEN inside a transaction at its commit only", async () => {
  const [a, b, sender] = await Promise.all([connect(), connect(), connect()]);
  const heard = heardBy(a);
  await b.query("listen later");
  await a.query("begin");
  await a.query("listen later");
  await a.query("rollback");
  await sender.query("notify later, 'rolled back'");
  await a.query("begin");
  await a.query("listen later");
  await a.query("savepoint s");
  await expect(a.query("select 1/0")).rejects.toMatchObject({ code: "22012" });
  await a.query("rollback to s");
  await a.query("commit");
  await sender.query("notify later, 'committed'");
  await settled(a);
  expect(heard).toEqual(["later:committed"]);
});

it("names the connection that sent it", async () => {
  const [listener, sender] = await Promise.all([connect(), connect()]);
  const senders: number[] = [];
  listener.on("notification", ({ processId }) => senders.push(processId));
  await listener.query("listen who");
  await sender.query("notify who");
  await until(() => senders.length === 1, { what: "the notification" });
  expect(senders).toEqual([Reflect.get(sender, "processID")]);
});
