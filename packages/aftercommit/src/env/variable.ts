// Not `{ z }`: the loader of trigger.config.ts takes the default export for the whole module.
import * as z from "zod";
import { isWebhookSecret } from "./webhook-secret.ts";

/**
 * How a process uses a variable. `declared` is required if a declared provider names it, `from …` if a declaration's
 * changes come from there, `for deletions` if there is a deletion, and `for e-mail` if one has an e-mail column. A
 * malformed one stops the app, even if it is optional.
 */
type Need = "required" | "optional" | "declared" | "for deletions" | "for e-mail" | `from ${string}`;

type Uses = { readonly [process in "app" | "tasks" | "sequin"]?: Need };

export type Variable = {
  schema: z.ZodType<string>;
  /** Commands also use what the app and the tasks use. Without any use, they are the only ones. */
  usedBy: Uses;
  /** Where to get it, or what it is for. */
  where: string;
  isSecret: boolean;
  /** Whoever sets it up makes up the text, which may be too short. */
  isChosen?: boolean;
};

type Row = (schema: Variable["schema"], usedBy: Uses, where: string) => Variable;

export const secret: Row = (schema, usedBy, where) => ({ schema, usedBy, where, isSecret: true });
export const open: Row = (schema, usedBy, where) => ({ schema, usedBy, where, isSecret: false });
export const chosen = (usedBy: Uses, where: string) => ({ ...secret(text, usedBy, where), isChosen: true });

export const text = z.string();

export const url = (protocols: string) =>
  text.regex(new RegExp(`^(${protocols})://`), `must start with ${protocols}://`);
export const httpUrl = url("https?");

/** A whole number with at most so many digits. */
export const digits = (most: number) =>
  text.regex(new RegExp(`^[1-9]\\d{0,${most - 1}}$`), `must be a whole number from 1 to ${10 ** most - 1}`);

export const whsec = text.refine(isWebhookSecret, "must be whsec_ and 24 to 64 bytes in base64");

/** A list that is parsed where it is used. */
export const list = (parse: (text: string) => { problem?: string }) =>
  text.superRefine((value, context) => {
    const { problem } = parse(value);
    if (problem) context.addIssue(problem);
  });
