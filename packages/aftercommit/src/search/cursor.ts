import { createHash } from "node:crypto";
import * as z from "zod";
import { InvalidSearchError } from "./options.ts";

/** Where a page ended: the score and key of its last result, and how many results came before the next page. */
export type Cursor = { score: number; id: string; place: number };

const schema = z.tuple([z.string(), z.number(), z.string(), z.number().int().min(1)]);

/** Identifies a search, so that a cursor of another one is rejected. */
export const digestOf = (search: unknown) =>
  createHash("sha256")
    .update(JSON.stringify(search, (_, value) => (typeof value === "bigint" ? String(value) : value)))
    .digest("base64url")
    .slice(0, 8);

export const writeCursor = ({ score, id, place }: Cursor, digest: string): string =>
  Buffer.from(JSON.stringify([digest, score, id, place])).toString("base64url");

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** @throws {InvalidSearchError} if it is invalid, or belongs to another search */
export function readCursor(text: string, digest: string): Cursor {
  const { data } = schema.safeParse(parsed(text));
  if (!data) throw new InvalidSearchError("after: must be the `next` of a page");
  const [ofSearch, score, id, place] = data;
  if (ofSearch !== digest) throw new InvalidSearchError("after: belongs to another search");
  return { score, id, place };
}

/** Whether a result comes after the page that ended at the cursor. */
export const isAfter = ({ score, id }: { score: number; id: string }, cursor: Cursor): boolean =>
  score < cursor.score || (score === cursor.score && id > cursor.id);
