import { sql } from "drizzle-orm";
import { columnSql, tableSql } from "../../db/identifiers.ts";
import type { ExternalSystem } from "../../declare/external-system.ts";
import { rootMessageOf } from "../../errors.ts";
import { keyTypeSql, sourceOf } from "../../source.ts";
import { type About, rowFor, systemsOf } from "../external-systems.ts";
import { readHolds } from "../holds.ts";
import { deletionsOfRow } from "../ledger.ts";
import { presentSql } from "../row-is-back.ts";
import { addressOf } from "../send-mail.ts";
import { type CommandContext, nameOf, type Target } from "./target.ts";

/** The row as its deletion would be recorded now; undefined if it does not exist or is marked as deleted. */
async function readRow(
  { declaration, source, rowId }: Target,
  { db }: CommandContext,
): Promise<About | undefined> {
  const { table, key, email } = declaration;
  const keyType = keyTypeSql(await sourceOf(db, declaration));
  const { rows } = await db.execute<{ email: string | null }>(sql`
    select ${email === undefined ? sql`null` : sql`${columnSql(email)}::text`} as email from ${tableSql(table)}
    where ${columnSql(key)} = ${rowId}::${keyType} and ${presentSql(declaration)}`);
  return rows[0] && { id: "0", source, rowId, email: rows[0].email, requestedAt: new Date(), systems: {} };
}

function requestLines(system: ExternalSystem, about: About): string[] {
  if (!system.request) return ["its cleanUp is code: what it sends is not known here"];
  try {
    const request = system.request(rowFor(system, about));
    if (!request) return ["is not called: it has no request for this row"];
    const { method, url, headers = {}, body } = request;
    // Header values are often secrets.
    const names = Object.keys(headers).join(", ");
    return [`${method} ${url}`, ...(names ? [`headers: ${names}`] : []), ...(body ? [`body: ${body}`] : [])];
  } catch (error) {
    return [`its request cannot be made: ${rootMessageOf(error)}`];
  }
}

function systemLines(system: ExternalSystem, about: About): string[] {
  const cleanAt = about.systems[system.name]?.done_at;
  if (cleanAt) return [`${system.name}: clean since ${new Date(cleanAt).toISOString()}`];
  const lines = requestLines(system, about);
  if (system.after) lines.push(`not before ${system.after} after the deletion`);
  if (system.verify) lines.push("then asked whether it still has the row");
  return [`${system.name}:`, ...lines.map((line) => `  ${line}`)];
}

function mailLine({ email }: About): string {
  if (email === null) return "e-mail: to nobody, there is no address";
  const address = addressOf(email);
  return address === undefined
    ? "e-mail: to nobody, the e-mail column does not hold one address; the deletion would stay open"
    : `e-mail: to ${address}, after all systems are clean`;
}

/** Prints what a deletion of a row would send to each system, or what an open one still will. Sends nothing. */
export async function preview(target: Target, context: CommandContext): Promise<void> {
  const { declaration, source, rowId } = target;
  const { db, say } = context;
  const open = (await deletionsOfRow(db, target)).findLast(({ outcome }) => outcome === null);
  const row = await readRow(target, context);
  const about = row ?? open;
  if (!about) throw new Error(`There is no ${nameOf(target)}, and no open deletion of one`);
  say(
    row
      ? `${nameOf(target)} exists. When it is deleted:`
      : `${nameOf(target)} is deleted, and its deletion ${about.id} is open. What is left:`,
  );
  const hold = (await readHolds(db)).find((held) => held.source === source && held.rowId === rowId);
  if (hold) say(`On hold (${hold.reason}): nothing is sent before it is released.`);
  for (const system of systemsOf(declaration)) for (const line of systemLines(system, about)) say(line);
  say(mailLine(about));
}
