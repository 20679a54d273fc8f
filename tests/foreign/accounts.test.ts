import { sql } from "drizzle-orm";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { defineDeletion } from "../../packages/aftercommit/src/define.ts";
import { cleanUpSystem } from "../../packages/aftercommit/src/deletions/clean-up-system.ts";
import { finishDeletion } from "../../packages/aftercommit/src/deletions/finish-deletion.ts";
import { sendConfirmation } from "../../packages/aftercommit/src/deletions/send-confirmation.ts";
import { appForTests, SECRET } from "../helpers/foreign/app.ts";
import { readCatalog } from "../helpers/foreign/catalog.ts";
import { dumpSchema } from "../helpers/foreign/pg-dump.ts";
import type { Run } from "../helpers/foreign/runs.ts";
import { startSequinFor } from "../helpers/foreign/sequin.ts";
import { startWorker } from "../helpers/foreign/worker.ts";
import { startWriter } from "../helpers/foreign/writer.ts";
import { realPostgres } from "../helpers/real-postgres.ts";
import { until } from "../helpers/until.ts";

const notified: string[] = [];
const accounts = defineDeletion({
  row: "account",
  table: "public.accounts",
  key: "id",
  email: "email",
  when: "deleted_at",
  systems: [{ name: "crm", cleanUp: async ({ row, id }) => void notified.push(`crm ${row} ${id}`) }],
});

/** Does the work of a deletion's run, with the steps in this process. */
async function workOn({ id: runId, task, payload }: Run): Promise<unknown> {
  expect(task).toBe("account-deletion-cleanup");
  const deletionId = payload.deletionId ?? "";
  const run = { deletionId, runId, environment: "proj/env", signal: new AbortController().signal };
  const send = async ({ to }: { to: string }) => void notified.push(`mail ${to}`);
  const context = { db: app.db, declarations: [accounts], send };
  return finishDeletion(
    { ...run, source: "account" },
    {
      db: app.db,
      declaration: accounts,
      statusOf: async () => undefined,
      stepsOf: () => ({
        cleanUp: async (systems) => {
          for (const system of systems) await cleanUpSystem({ ...run, system }, context);
          return [];
        },
        confirm: async () => void (await sendConfirmation(run, context)),
      }),
    },
  );
}

const app = appForTests([accounts], {
  workOn,
  tables: (client) =>
    client.query(`
      create table accounts (id integer generated always as identity primary key, email varchar(255), plan text,
        deleted_at timestamp(6), updated_at timestamp(6) not null default now());
      alter table accounts replica identity full;
      create unique index index_accounts_on_email on accounts (email) where deleted_at is null;
      insert into accounts (email, deleted_at) values ('long-gone@example.com', '2020-01-01'), ('stays@example.com', null)`),
});

const schema = () => (realPostgres ? dumpSchema(app.url, { ours: [] }) : readCatalog(app.client, []));
const ledger = async () =>
  (
    await app.db.execute<{ rowId: string; outcome: string | null; email: string | null }>(
      sql`select row_id as "rowId", outcome, email from aftercommit.deletions order by id`,
    )
  ).rows;
const insert = async (email: string): Promise<string> =>
  (await app.client.query("insert into accounts (email) values ($1) returning id::text", [email])).rows[0].id;
const mark = (id: string) => app.client.query("update accounts set deleted_at = now() where id = $1", [id]);

beforeEach(() => vi.stubEnv("MAIL_FROM", "no-reply@example.com"));

it("a soft deletion notifies the systems and the person once, while the owner writes, and nothing of the table changes", async () => {
  const theirs = await schema();
  const writer = await startWriter(app.url, {
    insert: "insert into accounts (email, plan) values ($1 || md5(random()::text), $2) returning id::text",
    edit: "update accounts set plan = $2, updated_at = now() where id = $1",
    remove: "update accounts set plan = null where id = $1",
  });
  onTestFinished(writer.stop);
  await app.migrate();
  expect(await schema()).toEqual(theirs);
  const sequin = await startSequinFor([accounts], {
    databaseUrl: app.url,
    secret: SECRET,
    routes: app.serve,
  });
  onTestFinished(sequin.close);
  const captured = await schema();
  const worker = startWorker(app);
  onTestFinished(worker.stop);

  const [ada, bea] = [await insert("ada@example.com"), await insert("bea@example.com")];
  await mark(ada);
  await until(() => notified.includes("mail ada@example.com"), { what: "the confirmation" });
  // Later changes of a marked row are not another deletion, nor is its end.
  await app.client.query("update accounts set plan = 'none' where id = $1", [ada]);
  await app.client.query("delete from accounts where id = $1", [ada]);
  await app.client.query("delete from accounts where id = $1", [bea]);
  await until(() => notified.includes("mail bea@example.com"), {
    what: "the confirmation of an unmarked row",
  });
  await writer.stop();
  await until(async () => (await sequin.waiting()) === 0, { what: "the end of all deliveries" });
  await worker.stop();
  expect(writer.changes).toBeGreaterThan(0);
  expect(await ledger()).toEqual([
    { rowId: ada, outcome: "completed", email: null },
    { rowId: bea, outcome: "completed", email: null },
  ]);
  expect(notified).toEqual([
    ...[`crm account ${ada}`, "mail ada@example.com"],
    ...[`crm account ${bea}`, "mail bea@example.com"],
  ]);
  expect(await schema()).toEqual(captured);
  await sequin.close();
  if (realPostgres) expect(await schema()).toEqual(theirs);
});
