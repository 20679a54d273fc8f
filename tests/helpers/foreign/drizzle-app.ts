import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";

/** The migrations of an app that uses drizzle, each generated before Aftercommit's. */
const MIGRATIONS = [
  {
    tag: "0000_recipes",
    when: Date.parse("2025-01-01"),
    sql: `create table recipes (id serial primary key, name text not null, method text);
--> statement-breakpoint
insert into recipes (name, method) values ('Bread', 'Sourdough starters are fed with rye flour'), ('Tea', null);`,
  },
  {
    tag: "0001_servings",
    when: Date.parse("2025-02-02"),
    sql: "alter table recipes add column servings integer;",
  },
];

/** Brings an app's database up to its first migrations, or to all of them, like drizzle. */
export async function migrateDrizzleApp(url: string, count = MIGRATIONS.length): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "drizzle-app-"));
  await mkdir(join(folder, "meta"));
  const entries = MIGRATIONS.slice(0, count).map(({ tag, when }, idx) => {
    return { idx, version: "7", when, tag, breakpoints: true };
  });
  const journal = { version: "7", dialect: "postgresql", entries };
  await writeFile(join(folder, "meta/_journal.json"), JSON.stringify(journal));
  for (const { tag, sql } of MIGRATIONS) await writeFile(join(folder, `${tag}.sql`), sql);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await migrate(drizzle({ client }), { migrationsFolder: folder });
  } finally {
    await client.end();
    await rm(folder, { recursive: true });
  }
}
