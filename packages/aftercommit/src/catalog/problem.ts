import type { TableName } from "../db/identifiers.ts";
import { DeclarationError } from "../declaration-error.ts";
import type { Declaration } from "../declare/declaration.ts";

const DEFINED_BY = {
  embedding: "defineEmbedding",
  deletion: "defineDeletion",
  trigger: "defineTrigger",
} as const;

/** Creates the errors of one declaration: `problem("key", "has no index")`. */
export const problemOf =
  ({ kind, row }: Declaration) =>
  (option: string, problem: string) =>
    new DeclarationError(`${DEFINED_BY[kind]}({ row: ${JSON.stringify(row)} })`, option, problem);

/** A table as aftercommit.config.ts spells it. */
export const spelled = ({ schema, name }: TableName) => `${schema}.${name}`;
