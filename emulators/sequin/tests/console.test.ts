import { type OpenPages, openPages, textOf } from "@aftercommit/local-console/tests/open-pages.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../tests/helpers/until.ts";
import { deliveryPages } from "../console/pages.tsx";
import { type Database, openDatabase } from "./database.ts";
import { ok, type Receiver, startReceiver, status } from "./receiver.ts";
import { startStack } from "./stack.ts";

type Sequin = Awaited<ReturnType<typeof startStack>>;

let database: Database;
let receiver: Receiver;
let sequin: Sequin;
let started: Sequin | undefined;
let stack: OpenPages;
beforeAll(async () => {
  database = await openDatabase();
  await database.sql("create table posts (id int primary key, title text, views numeric)");
  await database.sql("create table users (id int primary key)");
  receiver = await startReceiver();
  sequin = await startStack({
    databaseUrl: database.url,
    url: receiver.url,
    sinks: [
      { name: "posts-sink", source: { include_tables: ["public.posts"] } },
      { name: "users-sink", source: { include_tables: ["public.users"] }, actions: ["delete"] },
    ],
    pace: { backoffBaseMs: 60_000 },
  });
  started = sequin;
  stack = await openPages([deliveryPages(() => started)]);
});
afterAll(async () => {
  await stack.close();
  await sequin.close();
  await receiver.close();
  await database.close();
});
beforeEach(() => {
  receiver.answer = ok;
  receiver.requests.length = 0;
});

const page = async (path: string) => textOf((await stack.get(path)).html);

/** Inserts a post and returns its delivery once it has this status. */
async function insert(id: number, title: string, wanted: "delivered" | "pending" = "delivered") {
  await database.sql("insert into posts values ($1, $2, 12345678901234567890.50)", [id, title]);
  return until(
    async () => {
      const [newest] = await sequin.deliveries(1);
      const sent = newest?.group === `public.posts:${id}` && newest.deliverCount > 0;
      return sent && newest.status === wanted ? newest : undefined;
    },
    { what: `the delivery of post ${id}` },
  );
}

describe("the list of deliveries", () => {
  test("shows each message with its state, its answer and its row", async () => {
    await insert(1, "one");
    const text = await page("/deliveries");
    expect(text).toContain("insert public.posts:1");
    expect(text).toContain("Delivered 1 200");
    expect(text).toContain("posts-sink");
    expect(text).not.toContain("one");
  });

  test("shows when a message that failed is tried again, and filters by sink and status", async () => {
    receiver.answer = status(400);
    await insert(2, "two", "pending");
    expect(await page("/deliveries")).toMatch(/insert public.posts:2 .* Failing 1 400 in (1 min|\d+ s)/);
    expect(await page("/deliveries?status=pending")).toContain("public.posts:2");
    expect(await page("/deliveries?status=delivered")).not.toContain("public.posts:2");
    expect(await page("/deliveries?sink=users-sink")).toContain("No delivery matches");

    receiver.answer = ok;
    expect(await stack.post("/deliveries/retry")).toMatchObject({ status: 303 });
    await until(
      () => receiver.messages().some(({ record }) => record.id === 2) && sequin.sinks()[0]?.waiting === 0,
    );
  });

  test.each(["sink=posts-sink", "status=pending"])(
    "filtered by %s has a link to the whole",
    async (filter) => {
      expect((await stack.get(`/deliveries?${filter}`)).html).toContain('<a href="/deliveries">Clear</a>');
      expect((await stack.get("/deliveries?sink=&status=")).html).not.toContain("Clear");
    },
  );

  test("has pages of 50 that end", async () => {
    await database.sql("insert into posts select n, 'x', 1 from generate_series(100, 169) n");
    await until(async () => (await sequin.counts()).some(({ count }) => count >= 70), {
      what: "70 deliveries",
    });
    const first = (await stack.get("/deliveries")).html;
    expect(first.match(/data-key="delivery-/g)).toHaveLength(50);
    const older = /href="([^"]+)">Older/.exec(first)?.[1] ?? "";
    const second = await stack.get(older);
    expect(textOf(second.html)).toContain("public.posts:1");
    expect(second.html).not.toContain("Older");
    expect(second.html).toContain("Newest");
  });
});

describe("the page of a delivery", () => {
  test("shows the message as it is sent, with each number as it is, and the answer's body", async () => {
    receiver.answer = (_, response) => void response.writeHead(422).end("<b>title</b> is too short");
    const { id } = await insert(3, "</pre><script>alert(1)</script>", "pending");
    const { html } = await stack.get(`/deliveries/${id}`);
    expect(textOf(html)).toContain('"title": "</pre><script>alert(1)</script>"');
    expect(textOf(html)).toContain('"action": "insert"');
    expect(textOf(html)).toContain("12345678901234567890.50");
    expect(textOf(html)).toContain("<b>title</b> is too short");
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("<b>title");
    expect(textOf(html)).toMatch(/Deliver count 1 Next try in (1 min|\d+ s)/);
  });

  test("answers 404 for a delivery that is not kept", async () => {
    for (const id of ["999999", "0", "x", "9".repeat(30)])
      expect((await stack.get(`/deliveries/${id}`)).status).toBe(404);
    expect((await stack.post("/deliveries/999999/redeliver")).status).toBe(404);
  });
});

describe("its buttons", () => {
  test("redeliver sends a delivered message again, and a waiting one immediately", async () => {
    const { id } = await insert(4, "four");
    const [first] = receiver.messages();
    expect(await stack.post(`/deliveries/${id}/redeliver`)).toMatchObject({
      status: 303,
      location: `/deliveries/${id}?notice=redelivering`,
    });
    await until(() => receiver.messages().length === 2, { what: "the second delivery" });
    expect(receiver.messages()[1]).toEqual(first);

    receiver.answer = status(500);
    const waiting = await insert(5, "five", "pending");
    receiver.answer = ok;
    await stack.post(`/deliveries/${waiting.id}/redeliver`);
    await until(async () => (await sequin.delivery(waiting.id))?.status === "delivered", {
      what: "its delivery",
    });
  });

  test("redeliver sends a message that is stuck, which the page tells from one that fails", async () => {
    receiver.answer = (_, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).end("{oops");
    await database.sql("insert into posts values (6, 'six', 1)");
    const { id } = await until(
      async () => (await sequin.deliveries()).find(({ group, stuck }) => group === "public.posts:6" && stuck),
      { what: "the stuck message" },
    );
    expect(await page("/deliveries")).toMatch(/insert public.posts:6 .* Stuck 0 200 in 5 min/);
    expect(await page(`/deliveries/${id}`)).toContain("a body that claims to be JSON and is not");
    receiver.answer = ok;
    await stack.post(`/deliveries/${id}/redeliver`);
    await until(async () => (await sequin.delivery(id))?.status === "delivered", { what: "its delivery" });
  });

  test("backfill sends the rows of a table as read messages", async () => {
    await database.sql("insert into users values (1), (2)");
    expect(
      await stack.post("/deliveries/backfill", { sink: "users-sink", table: "public.users" }),
    ).toMatchObject({
      status: 303,
      location: "/deliveries?notice=backfilling",
    });
    const reads = () => receiver.messages().filter(({ action }) => action === "read");
    await until(() => reads().length >= 2, { what: "two reads" });
    expect(
      reads()
        .map(({ record }) => record.id)
        .sort(),
    ).toEqual([1, 2]);
  });

  test("backfill is refused for a table that the sink does not take, and for a sink that there is not", async () => {
    for (const form of [
      { sink: "users-sink", table: "public.posts" },
      { sink: "other", table: "public.posts" },
      { sink: "users-sink", table: "" },
    ])
      expect((await stack.post("/deliveries/backfill", form)).status).toBe(400);
  });
});

describe("before Sequin has started", () => {
  test("its pages say what it waits for", async () => {
    started = undefined;
    expect(await page("/deliveries")).toContain("Sequin starts as soon as the app answers");
    expect(await page("/")).toContain("Starts as soon as the app answers");
    started = sequin;
  });
});
