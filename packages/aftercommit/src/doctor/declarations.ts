import { readFile } from "node:fs/promises";
import { inspect } from "../catalog/inspect.ts";
import { directUrl } from "../db/database.ts";
import { withLongConnection } from "../db/long-connection.ts";
import type { Declaration } from "../declare/declaration.ts";
import { deletionsOf, embeddingsOf, fromSequin } from "../declare/declarations.ts";
import { readDue, sayDue } from "../deletions/due.ts";
import { sequinProblems } from "../sequin-config/complete.ts";
import { sourceOf } from "../source.ts";
import { MOST_COUNTED, readTableCounts } from "../status/table-counts.ts";
import { type Category, failed, ok, okUnless, skipped, warning } from "./finding.ts";

const LONGEST_WAIT_SECONDS = 3_600;

const CHANGE = "Change the table, or its declaration in aftercommit.config.ts, as each message says";
const LOOK = "npx aftercommit doctor --only trigger,provider says what fails. Otherwise let the backfill end";
const RETRY = "The status page shows each failed row with its error, and retries them";

const counted = (count = 0) => (count > MOST_COUNTED ? `more than ${MOST_COUNTED}` : `${count}`);

const namesOf = (declarations: readonly Declaration[]) => declarations.map(({ row }) => row).join(", ");

/** Whether aftercommit.config.ts, sequin.yaml and the database agree, and the rows are embedded. */
export const declarationsCategory: Category = async function* ({ check, declarations, server }) {
  const names = namesOf(declarations);
  yield check("declarations.sequin", "npx aftercommit sequin", async () => {
    const own = fromSequin(declarations);
    if (own.length === 0) return skipped("no declaration is from Sequin");
    return okUnless(sequinProblems(await readFile("sequin.yaml", "utf8"), own), namesOf(own));
  });

  yield check("declarations.tables", CHANGE, async () => {
    const problems: string[] = [];
    await withLongConnection(directUrl(), async (client) => {
      for (const declaration of declarations)
        problems.push(...(await inspect(client, declaration)).problems.map(({ message }) => message));
    });
    return okUnless(problems, names);
  });
  const { db } = await server();

  yield check("declarations.recorded", "npx aftercommit migrate", async () => {
    for (const declaration of declarations) await sourceOf(db, declaration);
    return ok(names);
  });

  yield check("declarations.rows", LOOK, async () => {
    const counts = await readTableCounts(db);
    const tables = embeddingsOf(declarations).map(({ row }) => ({ row, ...counts.get(row) }));
    const states = tables.map(({ row, failed: failures, pending, oldestSeconds }) => {
      const age = oldestSeconds ? `, the oldest for ${Math.round(oldestSeconds / 60)} minutes` : "";
      return `${row}: ${counted(failures)} failed, ${counted(pending)} pending${age}`;
    });
    const actual = states.join("; ");
    if (tables.some((table) => table.failed)) return warning(actual, RETRY);
    const isLate = tables.some(({ oldestSeconds }) => (oldestSeconds ?? 0) > LONGEST_WAIT_SECONDS);
    return isLate ? warning(actual) : ok(actual);
  });

  yield check(
    "declarations.deletions",
    "npx aftercommit deletions list says what is left of each",
    async () => {
      const due = await Promise.all(deletionsOf(declarations).map((declaration) => readDue(db, declaration)));
      const actual = due.flatMap((one) => sayDue(one) ?? []).join("; ");
      if (due.some(({ overdue }) => overdue > 0)) return failed(actual);
      return actual ? warning(actual) : ok("none");
    },
  );
};
