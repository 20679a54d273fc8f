import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createNextApp } from "../helpers/install/fresh-app.ts";
import type { Project } from "../helpers/install/project.ts";
import { tarball } from "../helpers/install/tarball.ts";
import { until } from "../helpers/until.ts";

let app: Project;
beforeAll(async () => {
  app = await createNextApp();
  await app.startLocal(["postgres", "trigger", "openai", "mail"]);
  await app.query(`
    create table articles (id uuid primary key default gen_random_uuid(), headline text not null, body text, slug text);
    insert into articles (headline, body) values ('Old news', 'The harbour is closed for ships.');
    create table accounts (id bigint generated always as identity primary key, full_name text, email text);
    alter table accounts replica identity full;
    insert into accounts (full_name, email) values ('Ann', 'ann@example.com')`);
});
afterAll(async () => {
  await app?.stop();
  // What was killed may still be writing.
  if (app) await rm(dirname(app.folder), { recursive: true, force: true, maxRetries: 10 });
});

const found = z.object({ results: z.array(z.looseObject({ columns: z.object({ headline: z.string() }) })) });

const search = (words: string) => ask(`search?q=${encodeURIComponent(words)}`);

async function ask(path: string): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${app.ports.app}/api/${path}`);
  const body = await answer.text();
  return answer.ok ? found.parse(JSON.parse(body)).results.map(({ columns }) => columns.headline) : [];
}

const within = { everyMs: 500, progress: () => app.output };

it("someone's app finds its own rows by meaning, and cleans up after its deleted ones, after five commands", async () => {
  const startedAt = Date.now();
  await app.run("npm", "install", tarball());
  const said = await app.run("npx", "aftercommit", "init", "--yes");
  expect(said).toMatch(/trigger\/aftercommit\.ts +12 lines/);
  expect(said).toContain("The first embedding of articles takes about");
  expect(await app.run("npx", "aftercommit", "init", "--yes")).toMatch(
    /aftercommit\.config\.ts +exists, and stays/,
  );
  await app.run("npx", "aftercommit", "migrate");
  await app.start(/Ready in/, "npm", ["run", "dev"]);
  await app.startTasks();
  await app.startSequin();

  await until(async () => (await search("closed harbour")).includes("Old news"), {
    ...within,
    what: "the old row",
  });
  await app.query(
    "insert into articles (headline, body) values ('A secret garden', 'Nobody knows where roses grow.')",
  );
  await until(async () => (await search("secret roses")).at(0) === "A secret garden", {
    ...within,
    what: "the new row",
  });

  const [rose] = await app.query<{ id: string }>(
    "select id from articles where headline = 'A secret garden'",
  );
  expect(await ask(`similar?id=${rose?.id}`)).toEqual(["Old news"]);

  await app.query("delete from accounts");
  const [deletion] = await until(
    async () => {
      const rows = await app.query("select * from aftercommit.deletions where completed_at is not null");
      return rows.length > 0 ? rows : undefined;
    },
    { ...within, what: "the clean-up" },
  );
  expect(deletion).toMatchObject({ source: "account", outcome: "completed", email: null, row_id: "1" });
  expect(deletion?.confirmation_sent_at).not.toBeNull();
  const health = await fetch(`http://127.0.0.1:${app.ports.app}/api/health`);
  expect(await health.json()).toEqual({ status: "ok" });
  console.log(`five commands and no line of code: ${Math.round((Date.now() - startedAt) / 1000)} s`);
});
