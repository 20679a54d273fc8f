import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { users } from "@/aftercommit.config.ts";
import { GET } from "@/app/api/deletion-receipt/route.ts";
import { startDatabase } from "@/tests/helpers/deletions/deletions-database.ts";
import { recordedDeletion } from "@/tests/helpers/deletions/recorded-deletion.ts";
import { newReceiptKey, runDeletions } from "@/tests/helpers/deletions/run-deletions.ts";
import { recordSystemClean, recordSystemFailed } from "./ledger.ts";
import { readReceiptKey } from "./receipt-key.ts";
import { verifyReceipt } from "./receipts.ts";

const KEY = newReceiptKey();

let database: Awaited<ReturnType<typeof startDatabase>>;
beforeAll(async () => {
  database = await startDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  vi.stubEnv("DATABASE_URL", database.url);
  vi.stubEnv("DELETION_RECEIPT_KEY", KEY);
  await database.db.execute(sql`delete from aftercommit.deletions`);
});
afterEach(() => vi.unstubAllEnvs());

const run = (...args: string[]) => runDeletions(database.db, [users], ...args);

async function receiptOf(userId: string) {
  const [text = "", ...others] = await run("receipt", "--user", userId);
  expect(others).toEqual([]);
  return { text, receipt: await verifyReceipt(text, await readReceiptKey()) };
}

const email = "ann@example.com";
const newDeletion = async () => {
  const userId = randomUUID();
  return { userId, id: await recordedDeletion(database.db, { userId, email, systems: ["crm", "billing"] }) };
};

async function complete(id: string): Promise<void> {
  await recordSystemClean(database.db, id, { system: "crm", verified: true });
  await recordSystemClean(database.db, id, { system: "billing" });
  await database.db.execute(sql`update aftercommit.deletions set email = null, confirmation_sent_at = now(),
    completed_at = now(), outcome = 'completed' where id = ${id}`);
}

describe("a receipt", () => {
  it("says when everything was done, and nothing about the person", async () => {
    const { userId, id } = await newDeletion();
    await complete(id);
    const { text, receipt } = await receiptOf(userId);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(receipt).toEqual({
      iat: expect.any(Number),
      deletion: expect.stringMatching(`^user-deletion\\.${id}\\.\\d+$`),
      source: "user",
      row: expect.stringMatching(/^[\w-]{43}$/),
      state: "complete",
      requested_at: at,
      systems: [
        { name: "crm", state: "clean", clean_at: at, verified_at: at },
        { name: "billing", state: "clean", clean_at: at },
      ],
      confirmation_sent_at: at,
      ended_at: at,
    });
    expect(decodeProtectedHeader(text)).toMatchObject({ alg: "EdDSA", typ: "deletion-receipt+jwt" });
    expect(JSON.stringify(decodeJwt(text))).not.toMatch(new RegExp(`${userId}|ann|@`));
  });

  it("is open while anything is, and contains no error", async () => {
    const { userId, id } = await newDeletion();
    await recordSystemClean(database.db, id, { system: "crm" });
    await recordSystemFailed(database.db, id, { system: "billing", error: "answered 500" });
    const { text, receipt } = await receiptOf(userId);
    expect(receipt).toMatchObject({
      state: "open",
      systems: [{ state: "clean" }, { name: "billing", state: "open" }],
    });
    expect(JSON.stringify(decodeJwt(text))).not.toContain("500");
  });

  it("is open while a system is, whatever was written into the ledger", async () => {
    const { userId, id } = await newDeletion();
    await database.db.execute(sql`
      update aftercommit.deletions set completed_at = now(), outcome = 'completed', email = null where id = ${id}`);
    expect((await receiptOf(userId)).receipt.state).toBe("open");
  });

  it("is open when only the e-mail is left, and says that a row is on hold", async () => {
    const { userId, id } = await newDeletion();
    for (const system of ["crm", "billing"]) await recordSystemClean(database.db, id, { system });
    await run("hold", "--user", userId, "--reason", "a court asked for it");
    const { receipt } = await receiptOf(userId);
    expect(receipt).toMatchObject({ state: "open", on_hold: true });
  });

  it("names a row the same way in every receipt, and another way with another key", async () => {
    const { userId } = await newDeletion();
    const first = (await receiptOf(userId)).receipt.row;
    expect((await receiptOf(userId)).receipt.row).toBe(first);
    vi.stubEnv("DELETION_RECEIPT_KEY", newReceiptKey());
    expect((await receiptOf(userId)).receipt.row).not.toBe(first);
  });

  it("that was changed, or signed with another key, is rejected", async () => {
    const { userId, id } = await newDeletion();
    const { text } = await receiptOf(userId);
    await complete(id);
    const [header, , signature] = text.split(".");
    const forged = [header, (await receiptOf(userId)).text.split(".")[1], signature].join(".");
    await expect(verifyReceipt(forged, await readReceiptKey())).rejects.toThrow(
      "signature verification failed",
    );
    vi.stubEnv("DELETION_RECEIPT_KEY", newReceiptKey());
    await expect(verifyReceipt(text, await readReceiptKey())).rejects.toThrow("signed by another key");
  });

  it.each(["", "a2V5"])("is not made with the key %j: the error says how to make one", async (key) => {
    vi.stubEnv("DELETION_RECEIPT_KEY", key);
    const { userId } = await newDeletion();
    await expect(run("receipt", "--user", userId)).rejects.toThrow(
      /DELETION_RECEIPT_KEY .*openssl genpkey -algorithm ed25519 -outform DER/,
    );
    await expect(run("export")).rejects.toThrow("DELETION_RECEIPT_KEY");
  });

  it("of nobody is an error", async () => {
    await expect(run("receipt", "--user", randomUUID())).rejects.toThrow("No deletion of user");
  });
});

describe("an export", () => {
  it("has a line for each deletion that changed since, even if they are many", async () => {
    await database.db.execute(sql`
      insert into aftercommit.deletions (source, row_id, position, accepted_xid, required_systems, updated_at)
      select 'user', gen_random_uuid(), n::text, pg_current_xact_id(), '{crm}', now() - n * interval '1 hour'
      from generate_series(1, 1200) n`);
    expect(await run("export")).toHaveLength(1_200);
    const since = new Date(Date.now() - 100.5 * 3_600_000).toISOString();
    expect(await run("export", "--since", since)).toHaveLength(100);
  });
});

describe("the page's download", () => {
  const download = (id: string) => GET(new Request(`http://localhost/api/deletion-receipt?id=${id}`));

  it("is a file with the receipt", async () => {
    const { id } = await newDeletion();
    const response = await download(id);
    expect(response.headers.get("content-type")).toBe("application/jose");
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="deletion-${id}.jws"`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await verifyReceipt((await response.text()).trim(), await readReceiptKey())).state).toBe("open");
  });

  it("fails closed without a key, and says how to make one", async () => {
    const { id } = await newDeletion();
    vi.stubEnv("DELETION_RECEIPT_KEY", "");
    const response = await download(id);
    expect(response.status).toBe(503);
    expect((await response.json()).error).toMatch(/DELETION_RECEIPT_KEY is not set .*openssl genpkey/);
  });

  it.each(["", "x", "999999", "1;2"])("of the deletion %j does not exist", async (id) => {
    expect((await download(id)).status).toBe(404);
  });
});
