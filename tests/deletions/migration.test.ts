import { randomUUID } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq, sql } from "drizzle-orm";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { connect, disconnect } from "../../drizzle/client.ts";
import { userDeletions } from "../../drizzle/schema.ts";
import { startFreshPostgres } from "../postgres.ts";
import { systemAt } from "./ledger.ts";

const BEFORE = 5;
const journal = z.looseObject({ entries: z.array(z.looseObject({ idx: z.number() })) });

let postgres: Awaited<ReturnType<typeof startFreshPostgres>>;
let folder: string;

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startFreshPostgres(), mkdtemp(join(tmpdir(), "migrations-"))]);
  await cp("drizzle/migrations", folder, { recursive: true });
  const file = join(folder, "meta/_journal.json");
  const all = journal.parse(JSON.parse(await readFile(file, "utf8")));
  await writeFile(file, JSON.stringify({ ...all, entries: all.entries.filter(({ idx }) => idx < BEFORE) }));
});
afterAll(async () => {
  await disconnect();
  await Promise.all([postgres.close(), rm(folder, { recursive: true })]);
});

it("renames the webhooks of open deletions, keeps what is done, and leaves no path of a URL in the ledger", async () => {
  const db = connect(postgres.url);
  await migrate(db, { migrationsFolder: folder });
  const [open, untouched] = [randomUUID(), randomUUID()];
  const done = { done_at: "2026-01-02T03:04:05Z" };
  const systems = {
    "webhook:a.example/hooks/s3cret": done,
    "webhook:http://b.example:8080/s3cret": { failed_at: "2026-01-02T03:04:05Z", error: "answered 500" },
    "webhook:c.example/": done,
    "webhook:d.example/s3cret?0123abcd": done,
    "own-rows": done,
  };
  await db.execute(sql`
    insert into user_deletions (user_id, email_hash, systems, last_error) values
      (${open}, 'c0ffee', ${JSON.stringify(systems)}, 'Not clean: webhook:http://b.example:8080/s3cret (answered 500)'),
      (${untouched}, 'c0ffee', '{}', null)`);
  await migrate(db, { migrationsFolder: "drizzle/migrations" });
  const [row] = await db.select().from(userDeletions).where(eq(userDeletions.userId, open));
  expect(row?.systems).toEqual({
    [systemAt("https://a.example/hooks/s3cret")]: done,
    [systemAt("http://b.example:8080/s3cret")]: systems["webhook:http://b.example:8080/s3cret"],
    [systemAt("https://c.example")]: done,
    [Object.keys(row?.systems ?? {}).find((name) => name.startsWith("webhook:d.example#")) ?? ""]: done,
    "own-rows": done,
  });
  expect(JSON.stringify(row)).not.toMatch(/s3cret|c0ffee/);
  expect(row).toMatchObject({ requiredSystems: null, environment: null, completedAt: null });
  const [other] = await db.select().from(userDeletions).where(eq(userDeletions.userId, untouched));
  expect(other?.systems).toEqual({});
});
