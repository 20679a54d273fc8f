import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { quoted } from "../../packages/aftercommit/src/db/identifiers.ts";
import { openai } from "../../packages/aftercommit/src/providers/openai.ts";
import { type App, appForTests, SECRET } from "../helpers/foreign/app.ts";
import { readCatalog } from "../helpers/foreign/catalog.ts";
import { DATABASES, FOUND, type ForeignDatabase } from "../helpers/foreign/databases.ts";
import { dumpSchema } from "../helpers/foreign/pg-dump.ts";
import { startSequinFor } from "../helpers/foreign/sequin.ts";
import { startWorker } from "../helpers/foreign/worker.ts";
import { startWriter } from "../helpers/foreign/writer.ts";
import { FIRST_MODEL } from "../helpers/postgres-template.ts";
import { realPostgres } from "../helpers/real-postgres.ts";
import { until } from "../helpers/until.ts";

const numbers = z.array(z.number());

/** Everything that a database's owner has defined in it: from pg_dump, or from the catalog. */
async function schemaOf({ client, url }: App, { declaration, leastPrivileges = false }: ForeignDatabase) {
  const { schema, name } = declaration.embeddings;
  if (realPostgres) return dumpSchema(url, { ours: [`${schema}.${name}`], privileges: !leastPrivileges });
  const { rows } = await client.query("select from pg_class where oid = to_regclass($1)", [
    quoted(declaration.embeddings),
  ]);
  return readCatalog(client, rows.length > 0 ? [quoted(declaration.embeddings)] : []);
}

/** Rows whose vector is not that of their current text; empty if all are right. */
async function wrongVectors({ client }: App, { declaration, expected }: ForeignDatabase): Promise<string[]> {
  const { rows } = await client.query<{ id: string; text: string }>(expected);
  const id = `${declaration.row.replaceAll("-", "_")}_id`;
  const stored = await client.query<{ id: string; vector: string }>(
    `select ${id}::text as id, embedding::text as vector from ${quoted(declaration.embeddings)} where embedding is not null`,
  );
  const vectors = new Map(stored.rows.map((row) => [row.id, numbers.parse(JSON.parse(row.vector))]));
  const { vectors: present } = await openai().embed({
    model: FIRST_MODEL.name,
    dimensions: undefined,
    texts: rows.map(({ text }) => text),
    purpose: "passage",
    timeoutMs: 60_000,
  });
  const wrong = rows.flatMap((row, index) => {
    const [vector, now] = [vectors.get(row.id) ?? [], present[index]];
    const product = vector.reduce((sum, value, at) => sum + value * (now?.[at] ?? 0), 0);
    return Math.abs(product - 1) < 0.01 ? [] : [`${row.id} has another text`];
  });
  const ids = new Set(rows.map((row) => row.id));
  return [...wrong, ...stored.rows.flatMap((row) => (ids.has(row.id) ? [] : [`${row.id} has a vector`]))];
}

// Each takes seconds on PGlite, and all are tried on PostgreSQL 17.
const tried = Object.entries(DATABASES).filter(
  ([name]) => realPostgres || name.startsWith("of Prisma") || name.startsWith("with a table"),
);

describe.each(tried)("a database %s", (_, database) => {
  const { declaration, statements } = database;
  const app = appForTests([declaration], database);
  const found = async (q: string) => (await app.search(declaration, q)).map(({ id }) => id);

  it("is declared, embedded, edited, searched and deleted from while its owner writes, and nothing of it changes", async () => {
    const theirs = await schemaOf(app, database);
    const writer = await startWriter(app.url, statements);
    onTestFinished(writer.stop);
    await app.migrate();
    await until(() => writer.changes > 5, { what: "rows that the owner wrote" });
    await app.reconcile(declaration);
    expect(await app.drain(declaration)).toMatchObject({ failed: 0, unsettled: 0, waiting: 0, left: false });
    const [best] = await app.search(declaration, FOUND);
    expect(Object.keys(best?.columns ?? {}).toSorted()).toEqual(declaration.columns.toSorted());
    expect(best?.passage).toContain(FOUND);
    expect(await schemaOf(app, database)).toEqual(theirs);

    const sequin = await startSequinFor([declaration], {
      databaseUrl: app.url,
      secret: SECRET,
      routes: app.serve,
    });
    onTestFinished(sequin.close);
    // The Sequin emulator captures with triggers; from here on, no one else changes anything.
    const captured = await schemaOf(app, database);
    const worker = startWorker(app);
    onTestFinished(worker.stop);
    const { rows } = await app.client.query<{ id: string }>(statements.insert, [
      "Lighthouse",
      "It shows the way.",
    ]);
    const id = rows[0]?.id ?? "";
    await until(async () => (await found("lighthouse"))[0] === id, { what: "the inserted row" });
    await app.client.query(statements.edit, [id, "Its keeper collects vermilion umbrellas."]);
    const isEdited = async () =>
      (await app.search(declaration, "vermilion umbrellas"))[0]?.passage.includes("vermilion");
    await until(isEdited, { what: "the edited row" });
    await app.client.query(statements.remove, [id]);
    expect(await found("vermilion umbrellas")).not.toContain(id);

    await writer.stop();
    const isSettled = async () =>
      (await sequin.waiting()) === 0 &&
      (await app.pending(declaration)).length === 0 &&
      (await app.reconcile(declaration, { full: true, dryRun: true })).missing === 0 &&
      !(await app.embedded(declaration)).includes(id);
    await until(isSettled, { what: "the end of all work", progress: () => app.pending(declaration) });
    await worker.stop();
    expect(await wrongVectors(app, database)).toEqual([]);
    expect(await app.reconcile(declaration, { full: true, dryRun: true })).toEqual({
      missing: 0,
      orphaned: 0,
      stopped: false,
    });
    expect(await schemaOf(app, database)).toEqual(captured);
    await sequin.close();
    if (realPostgres) expect(await schemaOf(app, database)).toEqual(theirs);
  });
});
