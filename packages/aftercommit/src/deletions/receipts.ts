import { type SQL, sql } from "drizzle-orm";
import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import type { Queries } from "../source.ts";
import { type Deletion, keyOf } from "./ledger.ts";
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

type Facts = Pick<
  Deletion,
  "id" | "source" | "rowId" | "requiredSystems" | "systems" | "outcome" | "requestedAt"
> & {
  sentAt: string | null;
  endedAt: string | null;
  isHeld: boolean;
};
type Row = Omit<Facts, "requestedAt"> & { requestedAt: string };

const iso = (text: string | null | undefined) => (text == null ? undefined : new Date(text).toISOString());

async function readFacts(db: Queries, condition: SQL): Promise<Facts[]> {
  const { rows } = await db.execute<Row>(sql`
    select d.id::text, d.source, d.row_id as "rowId", d.required_systems as "requiredSystems", d.systems, d.outcome,
      d.requested_at as "requestedAt", d.confirmation_sent_at as "sentAt", d.completed_at as "endedAt",
      h.row_id is not null as "isHeld"
    from aftercommit.deletions d left join aftercommit.deletion_holds h on h.source = d.source and h.row_id = d.row_id
    where ${condition} order by d.id limit ${PAGE}`);
  return rows.map((row) => ({ ...row, requestedAt: new Date(row.requestedAt) }));
}

function systemsOf({ requiredSystems, systems }: Facts): Receipt["systems"] {
  return requiredSystems.map((name) => {
    const { done_at: cleanAt, verified_at: verifiedAt } = systems[name] ?? {};
    if (!cleanAt) return { name, state: "open" };
    return { name, state: "clean", clean_at: iso(cleanAt), verified_at: iso(verifiedAt) };
  });
}

function stateOf({ outcome }: Facts, systems: Receipt["systems"]): Receipt["state"] {
  if (outcome === "row_is_back") return outcome;
  // Whatever `outcome` says, a deletion is not complete while a system is not clean.
  return outcome === "completed" && systems.every(({ state }) => state === "clean") ? "complete" : "open";
}

async function sign(facts: Facts, { privateKey, kid, hash }: ReceiptKey): Promise<string> {
  const systems = systemsOf(facts);
  const receipt: Omit<Receipt, "iat"> = {
    deletion: keyOf(facts),
    source: facts.source,
    row: hash(facts.source, facts.rowId),
    state: stateOf(facts, systems),
    requested_at: facts.requestedAt.toISOString(),
    systems,
    confirmation_sent_at: iso(facts.sentAt),
    ended_at: iso(facts.endedAt),
    ...(facts.isHeld && { on_hold: true }),
  };
  return new SignJWT(receipt)
    .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
    .setIssuer("aftercommit")
    .setIssuedAt()
    .sign(privateKey);
}

const signAll = (facts: readonly Facts[], key: ReceiptKey) =>
  Promise.all(facts.map((deletion) => sign(deletion, key)));

/** The receipt of one deletion as a signed text (JWS, rfc-editor.org/rfc/rfc7515), without personal data. */
export async function receiptOf(db: Queries, key: ReceiptKey, id: string): Promise<string | undefined> {
  const [receipt] = await signAll(await readFacts(db, sql`d.id = ${id}`), key);
  return receipt;
}

/** The receipts of all deletions of a row, oldest first. */
export async function receiptsOfRow(
  db: Queries,
  key: ReceiptKey,
  { source, rowId }: { source: string; rowId: string },
): Promise<string[]> {
  return signAll(await readFacts(db, sql`d.source = ${source} and d.row_id = ${rowId}`), key);
}

/** The receipts of all deletions that changed since a time, oldest first. */
export async function* allReceipts(db: Queries, key: ReceiptKey, since: Date): AsyncGenerator<string, void> {
  for (let after = "0"; ; ) {
    const page = await readFacts(db, sql`d.id > ${after} and d.updated_at >= ${since.toISOString()}`);
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
