import { sql } from "drizzle-orm";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { holdRow } from "@/packages/aftercommit/src/deletions/holds.ts";
import { readStatus } from "@/packages/aftercommit/src/status/read-status.ts";
import { recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { declarations, statusForTests } from "@/tests/helpers/status-for-tests.ts";
import { StatusReport } from "./status-report.tsx";

const { database } = statusForTests();

async function page(): Promise<string> {
  const status = await readStatus(declarations, { db: () => database.db });
  return renderToStaticMarkup(createElement(StatusReport, { status })).replaceAll(/<[^>]*>/g, (tag) =>
    /href|alert/.test(tag) ? tag : "",
  );
}

it("the page says nothing about holds and due dates if there are none", async () => {
  await database.db.execute(sql`truncate aftercommit.deletion_holds`);
  await recordedDeletion(database.db);
  expect(await page()).not.toMatch(/On hold|overdue|due soon|alert/);
});

it("the page shows what is overdue, what is on hold and why, and has the receipt of each deletion", async () => {
  const [late, held] = [
    await recordedDeletion(database.db),
    await recordedDeletion(database.db, { userId: "held" }),
  ];
  await database.db.execute(sql`
    update aftercommit.deletions set requested_at = now() - interval '31 days' where id = ${late}`);
  await holdRow(database.db, { source: "user", rowId: "held" }, "a court asked for it");
  const text = await page();
  expect(text).toMatch(
    /role="alert"[^>]*>1 user deletion is overdue: npx aftercommit deletions list says what is left\./,
  );
  expect(text).toMatch(/On hold.*held.*a court asked for it/s);
  for (const id of [late, held]) expect(text).toContain(`href="/api/deletion-receipt?id=${id}"`);
  await database.db.execute(sql`truncate aftercommit.deletion_holds`);
});
