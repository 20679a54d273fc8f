import { beforeAll, expect, it } from "vitest";
import { appForTests } from "../helpers/foreign/app.ts";
import { DATABASES } from "../helpers/foreign/databases.ts";

const { declaration, tables } = DATABASES["with a table that is partitioned by date"];
const app = appForTests([declaration], { tables });

beforeAll(async () => {
  await app.migrate();
  await app.reconcile(declaration);
  await app.drain(declaration);
});

const idsOf = async (table: string) => {
  const { rows } = await app.client.query<{ id: string }>(
    `select id::text from ${table} where title is not null`,
  );
  return rows.map(({ id }) => id).toSorted();
};

it("the rows of an attached partition, about which there is no message, are embedded after a reconciliation", async () => {
  await app.client.query(`
    create table entries_2027 (like entries including defaults including constraints);
    insert into entries_2027 select 9000 + n, 'Attached ' || n, null, '2027-01-01' from generate_series(1, 3) n;
    alter table entries attach partition entries_2027 for values from ('2027-01-01') to ('2028-01-01')`);
  expect(await app.reconcile(declaration)).toEqual({ missing: 3, orphaned: 0, stopped: false });
  await app.drain(declaration);
  expect(await app.embedded(declaration)).toEqual(await idsOf("entries"));
});

it("the rows of a detached partition are no longer found, and lose their vectors after a reconciliation", async () => {
  await app.client.query("alter table entries detach partition entries_2027");
  expect(await app.search(declaration, "Attached")).not.toContainEqual(
    expect.objectContaining({ id: "9001" }),
  );
  expect(await app.reconcile(declaration)).toEqual({ missing: 0, orphaned: 3, stopped: false });
  await app.drain(declaration);
  expect(await app.embedded(declaration)).toEqual(await idsOf("entries"));
});
