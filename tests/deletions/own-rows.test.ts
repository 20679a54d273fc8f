import { randomUUID } from "node:crypto";
import { pgTable, text, uuid } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { cleanUpSystem } from "../../lib/deletions/clean-up-system.ts";
import { ownRows } from "../../lib/deletions/own-rows.ts";
import { startDatabase } from "./database.ts";
import { ENVIRONMENT, heldDeletion } from "./ledger.ts";

const { signal } = new AbortController();
let database: Awaited<ReturnType<typeof startDatabase>>;

beforeAll(async () => {
  database = await startDatabase();
  vi.stubEnv("DATABASE_URL", database.url);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await database.close();
});

describe("the user's own rows", () => {
  const notes = pgTable("notes", { id: text().primaryKey(), userId: uuid("user_id") });
  const visits = pgTable("visits", { id: text().primaryKey(), visitor: uuid() });

  it("go from every listed table, and nobody else's do", async () => {
    const { db } = database;
    await db.execute("create table notes (id text primary key, user_id uuid)");
    await db.execute("create table visits (id text primary key, visitor uuid)");
    const userId = await heldDeletion(db, { systems: ["own-rows"] });
    const other = randomUUID();
    await db.insert(notes).values([userId, other].map((owner) => ({ id: owner, userId: owner })));
    await db.insert(visits).values([userId, other].map((visitor) => ({ id: visitor, visitor })));
    const systems = () => ownRows([notes.userId, visits.visitor]);
    const request = { userId, system: "own-rows", environment: ENVIRONMENT, signal };
    expect(await cleanUpSystem(request, { systems })).toMatchObject({ status: "clean" });
    expect(await db.select({ id: notes.id }).from(notes)).toEqual([{ id: other }]);
    expect(await db.select({ id: visits.id }).from(visits)).toEqual([{ id: other }]);
  });

  it("are no system of their own while no such table is listed", () => {
    expect(ownRows([])).toEqual([]);
  });
});
