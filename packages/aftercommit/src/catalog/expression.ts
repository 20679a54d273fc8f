import { DatabaseError } from "pg";
import { quoted, quotedColumn, type TableName } from "../db/identifiers.ts";
import type { Connection } from "./read-table.ts";

type Expression = { table: TableName; oid: number; sql: string; type: "text" | "boolean" };

// All string types, by their category in pg_type.
const TYPES = { text: "typcategory = 'S'", boolean: "typcategory = 'B'" } as const;

// Postgres calls these stable, but their result changes while the row does not.
const MOMENTARY = [
  "now()",
  "transaction_timestamp()",
  "statement_timestamp()",
  "age(timestamptz)",
  "age(timestamp)",
  "current_setting(text)",
  "current_setting(text, boolean)",
  "txid_current()",
];
const MOMENTARY_LITERAL = /'\s*(now|today|tomorrow|yesterday)\s*'/i;

const select = ({ table, sql }: Expression) =>
  `select (${sql}) as value from ${quoted(table)} as ${quotedColumn(table.name)}`;

function failureOf(error: unknown): string {
  if (!(error instanceof DatabaseError)) throw error;
  return [error.message, error.hint].filter(Boolean).join(". ");
}

async function compile(client: Connection, expression: Expression): Promise<string | undefined> {
  try {
    // With a parameter, the server accepts only one statement.
    const { fields } = await client.query(`${select(expression)} limit $1`, [0]);
    const { rows } = await client.query<{ type: string; fits: boolean }>(
      `select format_type(oid, null) as type, ${TYPES[expression.type]} as fits from pg_type where oid = $1`,
      [fields[0]?.dataTypeID],
    );
    return rows[0]?.fits ? undefined : `must be ${expression.type}, and is ${rows[0]?.type}`;
  } catch (error) {
    return `does not compile: ${failureOf(error)}`;
  }
}

type Parsed = {
  isSet: boolean;
  isMomentary: boolean;
  isFolded: boolean;
  volatile: string[];
  generated: string[];
  others: string[];
};

const VIEW = "aftercommit_expression";

/**
 * The functions that the expression calls and the columns that it reads. pg_depend does not list built-in functions, so
 * this parses the tree.
 */
async function parse(client: Connection, expression: Expression): Promise<Parsed | undefined> {
  const [literal = ""] = MOMENTARY_LITERAL.exec(expression.sql) ?? [];
  await client.query(`create temp view ${VIEW} as ${select(expression)}`);
  const { rows } = await client.query<Parsed>(
    `with tree as (select oid, ev_action::text as nodes from pg_rewrite where ev_class = 'pg_temp.${VIEW}'::regclass),
       called as (select distinct match[1]::oid as oid from tree,
         regexp_matches(nodes, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\\d+)', 'g') as match)
     select nodes ~ '^[^{]*\\{QUERY [^{]*:has(Aggs|WindowFuncs|TargetSRFs) true' as "isSet",
       nodes like '%{SQLVALUEFUNCTION %' or exists (
         select from called where oid = any ($2::regprocedure[]::oid[])) as "isMomentary",
       $3 <> '' and strpos(pg_get_viewdef('pg_temp.${VIEW}'::regclass), $3) = 0 as "isFolded",
       array(select p.oid::regprocedure::text from pg_proc p join called using (oid)
         where p.provolatile = 'v' order by 1) as volatile,
       array(select a.attname::text from pg_depend d
         join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
         where d.classid = 'pg_rewrite'::regclass and d.objid = tree.oid and d.refclassid = 'pg_class'::regclass
           and d.refobjid = $1 and a.attgenerated <> '' order by 1) as generated,
       array(select distinct d.refobjid::regclass::text from pg_depend d
         where d.classid = 'pg_rewrite'::regclass and d.objid = tree.oid and d.refclassid = 'pg_class'::regclass
           and d.refobjid not in ($1, 'pg_temp.${VIEW}'::regclass) order by 1) as others
     from tree`,
    [expression.oid, MOMENTARY, literal],
  );
  return rows[0];
}

function problemIn({
  isSet,
  isMomentary,
  isFolded,
  volatile,
  generated,
  others,
}: Parsed): string | undefined {
  if (isSet)
    return "must have one result for each row: no aggregate, no window and no set-returning function";
  if (isMomentary || isFolded)
    return "depends on the time or the session (now(), CURRENT_DATE, 'today', age(…), …), which no change of a row tells of: compare columns only, or keep a column that your app updates";
  if (volatile.length > 0)
    return `calls ${volatile.join(", ")}, which is volatile. If it always has the same result for the same row: alter function ${volatile[0]} stable`;
  if (generated.length > 0)
    return `reads ${generated.join(", ")}, which is generated, and Postgres does not publish it: write its expression instead`;
  if (others.length > 0)
    return `reads ${others.join(", ")}, whose changes do not reach this row: use columns of the table only`;
}

/**
 * What is wrong with an SQL expression. It must compile, have the right type, and always return the same result for the
 * same row. Leaves nothing behind. Must not be called in a transaction.
 */
export async function expressionProblem(
  client: Connection,
  expression: Expression,
): Promise<string | undefined> {
  const problem = await compile(client, expression);
  if (problem !== undefined) return problem;
  await client.query("begin read write");
  try {
    const parsed = await parse(client, expression);
    return parsed && problemIn(parsed);
  } catch (error) {
    // A role without the TEMP privilege, or a standby: it is enough that the expression compiles.
    if (error instanceof DatabaseError && ["42501", "25006"].includes(error.code ?? "")) return undefined;
    throw error;
  } finally {
    await client.query("rollback");
  }
}
