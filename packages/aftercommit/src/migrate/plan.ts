import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { escapeLiteral } from "pg";
import { type Inspection, inspect } from "../catalog/inspect.ts";
import { problemOf, spelled } from "../catalog/problem.ts";
import type { Connection } from "../catalog/read-table.ts";
import type { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";
import { embeddingsOf } from "../declare/declarations.ts";
import type { KeyType } from "../source.ts";
import { wordsTable } from "../words/words-table.ts";
import type { FirstModel } from "./first-model.ts";
import { MIGRATIONS } from "./missing-migrations.ts";
import { type RecordedSource, readState, type State } from "./read-state.ts";
import { embeddingsTableSql, modelSql, recordOf, sourceSql, wordsTableStatements } from "./statements.ts";

const FOLDER = join(import.meta.dirname, "../../sql");

/** Statements of one transaction, and the name of what they create. */
export type Step = { name: string; sql: string };

export type Plan = { steps: Step[]; notes: string[] };

export type MigrateOptions = { url: string; declarations: readonly Declaration[]; model: FirstModel };

type Inspected = { declaration: Declaration; oid: number; keyType: KeyType; keyColumn: string } & Pick<
  Inspection,
  "hasEmbeddings" | "hasWords"
>;

async function inspectAll(client: Connection, declarations: readonly Declaration[]): Promise<Inspected[]> {
  const problems: DeclarationError[] = [];
  const inspected: Inspected[] = [];
  const names = embeddingsOf(declarations).map(({ embeddings }) => spelled(embeddings));
  for (const declaration of declarations) {
    const { oid, keyType, keyColumn, ...found } = await inspect(client, declaration);
    problems.push(...found.problems);
    if (oid !== undefined && keyType && keyColumn)
      inspected.push({ declaration, oid, keyType, keyColumn, ...found });
    if (declaration.kind !== "embedding") continue;
    const name = spelled(declaration.embeddings);
    if (names.indexOf(name) !== names.lastIndexOf(name))
      problems.push(
        problemOf(declaration)(
          "embeddings",
          `${name} is another declaration's table as well; give each its own`,
        ),
      );
  }
  if (problems.length > 0)
    throw new AggregateError(problems, problems.map(({ message }) => message).join("\n"));
  return inspected;
}

function schemaSteps({ hasVector, seesHalfvec, hasMigrations, applied }: State): Step[] {
  if (hasVector && !seesHalfvec)
    throw new Error(
      "The type halfvec of pgvector is not found: alter extension vector update (0.7 or newer has it), or add the extension's schema to the search_path of this role",
    );
  const steps: Step[] = [];
  if (!hasVector) steps.push({ name: "extension vector", sql: "create extension if not exists vector;" });
  if (!hasMigrations)
    steps.push({
      name: "schema aftercommit",
      sql: `create schema if not exists aftercommit;
create table aftercommit.migrations (name text primary key, applied_at timestamptz not null default now());`,
    });
  for (const name of MIGRATIONS.filter((migration) => !applied.has(migration)))
    steps.push({
      name,
      sql: `${readFileSync(join(FOLDER, `${name}.sql`), "utf8")}
insert into aftercommit.migrations (name) values (${escapeLiteral(name)});`,
    });
  return steps;
}

function declarationSteps(inspected: Inspected, recorded: RecordedSource | undefined): Plan {
  const { declaration, oid, keyType, keyColumn, hasEmbeddings, hasWords } = inspected;
  const { row } = declaration;
  const lacksVectors = declaration.kind === "embedding" && !hasEmbeddings;
  const steps: Step[] = [];
  const notes: string[] = [];
  if (lacksVectors)
    steps.push({
      name: `table ${spelled(declaration.embeddings)}`,
      sql: embeddingsTableSql(declaration, keyColumn),
    });
  const lacksWords = declaration.kind === "embedding" && !hasWords;
  if (lacksWords)
    steps.push({
      name: `table ${spelled(wordsTable(declaration))}`,
      sql: wordsTableStatements(declaration, keyColumn),
    });
  const isRecorded = isDeepStrictEqual({ ...recorded }, { ...recordOf(declaration), oid, keyType });
  if (isRecorded && !lacksVectors && !lacksWords) return { steps, notes };
  steps.push({ name: `source ${row}`, sql: sourceSql(declaration, keyType) });
  if (recorded && declaration.kind === "embedding")
    notes.push(
      `The declaration of ${row}, or one of its tables, is not what it was: npx aftercommit reconcile --full`,
    );
  return { steps, notes };
}

/** What a database lacks for this version and these declarations. Rejects if a declaration does not fit it. */
export async function planMigration(
  client: Connection,
  { declarations, model }: Omit<MigrateOptions, "url">,
): Promise<Plan> {
  const inspected = await inspectAll(client, declarations);
  const state = await readState(client);
  const declared = new Set(declarations.map(({ row }) => row));
  const undeclared = state.sources.filter(({ name }) => !declared.has(name));
  const ofDeclarations = inspected.map((one) =>
    declarationSteps(
      one,
      state.sources.find(({ name }) => name === one.declaration.row),
    ),
  );
  return {
    steps: [
      ...schemaSteps(state),
      ...ofDeclarations.flatMap(({ steps }) => steps),
      ...(state.hasActiveModel
        ? []
        : [{ name: `model ${model.name}`, sql: modelSql(model, state.inWebAssembly) }]),
    ],
    notes: [
      ...ofDeclarations.flatMap(({ notes }) => notes),
      ...undeclared.map(
        ({ name }) => `${name} is not declared any more; what the database has of it stays as it is`,
      ),
    ],
  };
}
