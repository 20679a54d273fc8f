import { sql } from "drizzle-orm";
import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import type { Queries } from "../source.ts";
import { type Deletion, deletionsOfRow, keyOf, readDeletion, readDeletions } from "./ledger.ts";
import type { ReceiptKey } from "./receipt-key.ts";

const ALGORITHM = "EdDSA";
const TYPE = "deletion-receipt+jwt";
const PAGE = 500;

const time = z.iso.datetime();
const systemSchema = z.object({
  name: z.string(),
  state: z.enum(["clean", "open"]),
  clean_at: time.optional(),
  verified_at: time.optional(),
});

/** The content of a receipt. `row` is the HMAC of the row's key. All times are ISO 8601. */
const receiptSchema = z.object({
  iat: z.int(),
  deletion: z.string(),
  source: z.string(),
  row: z.string(),
  state: z.enum(["open", "complete", "row_is_back"]),
  requested_at: time,
  systems: z.array(systemSchema),
  confirmation_sent_at: time.optional(),
  ended_at: time.optional(),
  on_hold: z.literal(true).optional(),
});

export type Receipt = z.infer<typeof receiptSchema>;

const iso = (time: string | undefined) => time && new Date(time).toISOString();

function systemsOf({ requiredSystems, systems }: Deletion): Receipt["systems"] {
  return requiredSystems.map((name) => {
    const { done_at: cleanAt, verified_at: verifiedAt } = systems[name] ?? {};
    if (!cleanAt) return { name, state: "open" };
    return { name, state: "clean", clean_at: iso(cleanAt), verified_at: iso(verifiedAt) };
  });
}

function stateOf({ outcome }: Deletion, systems: Receipt["systems"]): Receipt["state"] {
  if (outcome === "row_is_back") return outcome;
  // Whatever `outcome` says, a deletion is not complete while a system is not clean.
  return outcome === "completed" && systems.every(({ state }) => state === "clean") ? "complete" : "open";
}

async function sign(deletion: Deletion, { privateKey, kid, hash }: ReceiptKey): Promise<string> {
  const systems = systemsOf(deletion);
  const { source, rowId, requestedAt, confirmationSentAt, completedAt, isHeld } = deletion;
  const receipt: Omit<Receipt, "iat"> = {
    deletion: keyOf(deletion),
    source,
    row: hash(source, rowId),
    state: stateOf(deletion, systems),
    requested_at: requestedAt.toISOString(),
    systems,
    confirmation_sent_at: confirmationSentAt?.toISOString(),
    ended_at: completedAt?.toISOString(),
    ...(isHeld && { on_hold: true }),
  };
  return new SignJWT(receipt)
    .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
    .setIssuer("aftercommit")
    .setIssuedAt()
    .sign(privateKey);
}

const signAll = (deletions: readonly Deletion[], key: ReceiptKey) =>
  Promise.all(deletions.map((deletion) => sign(deletion, key)));

/** The receipt of one deletion as a signed text (JWS, rfc-editor.org/rfc/rfc7515), without personal data. */
export async function receiptOf(db: Queries, key: ReceiptKey, id: string): Promise<string | undefined> {
  const deletion = await readDeletion(db, id);
  return deletion && sign(deletion, key);
}

export const receiptsOfRow = async (db: Queries, key: ReceiptKey, row: Pick<Deletion, "source" | "rowId">) =>
  signAll(await deletionsOfRow(db, row), key);

/** The receipts of all deletions that changed since a time, oldest first. */
export async function* allReceipts(db: Queries, key: ReceiptKey, since: Date): AsyncGenerator<string, void> {
  for (let after = "0"; ; ) {
    const changed = sql`id > ${after} and updated_at >= ${since.toISOString()}`;
    const page = await readDeletions(db, changed, PAGE);
    yield* await signAll(page, key);
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** The content of a signed receipt. Rejects with an Error that says why it cannot be trusted. */
export async function verifyReceipt(text: string, { publicKey, kid }: ReceiptKey): Promise<Receipt> {
  if (decodeProtectedHeader(text).kid !== kid)
    throw new Error("signed by another key than DELETION_RECEIPT_KEY");
  const { payload } = await jwtVerify(text, publicKey, { algorithms: [ALGORITHM], typ: TYPE });
  return receiptSchema.parse(payload);
}
