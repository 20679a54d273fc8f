import { describe, expect, test } from "vitest";
import { realPostgres } from "../../../tests/helpers/real-postgres.ts";
import { until } from "../../../tests/helpers/until.ts";
import { ok, status } from "./receiver.ts";
import { sequinForTests } from "./sequin-for-tests.ts";
import { startStack } from "./stack.ts";

const sequin = sequinForTests(
  "create table posts (id int primary key, title text); create table users (id int primary key)",
);
const { sql, start, insert, ids, requests, settled } = sequin;

describe("states", () => {
  test("a paused sink collects and sends when it is active again; a disabled one loses what happens", async () => {
    const paused = await start({ status: "paused" });
    await insert(1);
    await until(() => paused.sinks()[0]?.waiting === 1);
    await paused.close();
    await (await start({ status: "disabled" })).close();
    await insert(2);
    await start();
    await insert(3);
    await settled(2);
    expect(ids().sort()).toEqual([1, 3]);
  });

  test("an unacknowledged message survives a stop, with its count, and is tried immediately after the start", async () => {
    sequin.receiver.answer = status(400);
    const first = await start({}, { pace: { backoffBaseMs: 60_000 } });
    await insert(1);
    await until(async () => (await first.deliveries())[0]?.deliverCount === 1);
    await first.close();
    await insert(2);
    sequin.receiver.answer = ok;
    await start({}, { pace: { backoffBaseMs: 60_000 } });
    await settled(2);
    expect(sequin.stack.lines).toContain("1 waiting messages, tried again now");
    expect(await sequin.stack.deliveries()).toMatchObject([{ deliverCount: 1 }, { deliverCount: 2 }]);
    expect(ids().sort()).toEqual([1, 1, 2]);
  });

  test("a sink keeps its id over restarts, and one that leaves the file is forgotten with its messages", async () => {
    const first = await start();
    await insert(1);
    await settled(1);
    await first.close();
    const second = await start();
    await insert(2);
    await settled(2);
    expect(new Set(sequin.receiver.messages().map(({ metadata }) => metadata.consumer.id)).size).toBe(1);
    await second.close();
    await start({ name: "renamed" });
    expect(sequin.stack.lines).toContain("sink is no longer in sequin.yaml: forgotten");
    expect(await sequin.stack.deliveries()).toEqual([]);
  });

  test("a finished message can be delivered again, with the same key", async () => {
    await start();
    await insert(1);
    await settled(1);
    const [delivery] = await sequin.stack.deliveries();
    expect(JSON.parse((await sequin.stack.message(delivery?.id ?? 0)) ?? "")).toMatchObject({
      action: "insert",
      record: { id: 1 },
    });
    expect(await sequin.stack.redeliver(delivery?.id ?? 0)).toBe(true);
    await requests(2);
    expect(new Set(sequin.receiver.messages().map(({ metadata }) => metadata.idempotency_key)).size).toBe(1);
    expect(await sequin.stack.redeliver(999_999)).toBe(false);
    expect(await sequin.stack.message(999_999)).toBeNull();
  });

  test("finished deliveries beyond the newest 200 and their changes are forgotten", async () => {
    await start();
    await insert(...Array.from({ length: 230 }, (_, n) => n));
    await until(async () => (await sql("select from sequin_local.change")).length === 200, {
      progress: () => sequin.receiver.requests.length,
    });
    expect(await sql("select from sequin_local.delivery")).toHaveLength(200);
    expect(sequin.receiver.requests).toHaveLength(230);
  });
});

describe("the database connection", () => {
  test("when it breaks, nothing is lost and work goes on by itself", async () => {
    await start();
    await insert(1);
    await settled(1);
    await sequin.database.restart();
    await until(() => insert(2).catch(() => undefined), { what: "an insert" });
    await requests(2);
    await settled(2);
    await until(() => sequin.stack.lines.includes("connected to the database again"));
    await insert(3);
    await settled(3);
    expect(ids().sort()).toEqual([1, 2, 3]);
  }, 240_000);

  test.skipIf(!realPostgres)(
    "a second emulator on one database is refused (needs TEST_DATABASE_URL)",
    async () => {
      await start();
      const second = startStack({ databaseUrl: sequin.database.url, url: sequin.receiver.url, sinks: [{}] });
      await expect(second).rejects.toThrow(/another local Sequin works on this database/);
    },
  );
});
