import { expect, it } from "vitest";
import { appForTests } from "../helpers/foreign/app.ts";
import { DATABASES } from "../helpers/foreign/databases.ts";
import { migrateDrizzleApp } from "../helpers/foreign/drizzle-app.ts";

const { declaration, tables, statements } = DATABASES["of an app that uses drizzle, with migrations to come"];
const app = appForTests([declaration], { tables });
const all = async (query: string) => (await app.client.query(query)).rows;
const applied = () => all("select id, hash, created_at from drizzle.__drizzle_migrations order by id");

it("an app's own migrations of drizzle that are older than ours are applied after ours, and change nothing about our work", async () => {
  const before = await applied();
  expect(before).toHaveLength(1);
  await app.migrate();
  expect(await applied()).toEqual(before);
  await app.reconcile(declaration);
  await app.drain(declaration);

  await migrateDrizzleApp(app.url);
  expect(await applied()).toHaveLength(2);
  await app.client.query("update recipes set servings = 4");
  await app.client.query(statements.insert, ["Porridge", "Oats are soaked overnight"]);
  await app.migrate();
  expect(await applied()).toHaveLength(2);
  expect(await app.reconcile(declaration, { full: true })).toEqual({
    missing: 1,
    orphaned: 0,
    stopped: false,
  });
  expect(await app.drain(declaration)).toMatchObject({ embedded: 1 });
  expect((await app.search(declaration, "soaked oats"))[0]?.columns).toEqual({ name: "Porridge" });
});
