import { createHmac, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { required } from "../env/env.ts";

/** Signs and verifies receipts. `kid` names the key: its thumbprint (rfc-editor.org/rfc/rfc7638). */
export type ReceiptKey = {
  privateKey: KeyObject;
  publicKey: KeyObject;
  kid: string;
  /** The HMAC of a row's key: without DELETION_RECEIPT_KEY, nobody can tell which row it is. */
  hash(source: string, rowId: string): string;
};

/**
 * Reads DELETION_RECEIPT_KEY.
 * @throws {EnvironmentError} if it is missing or malformed; the message says how to generate one
 */
export async function readReceiptKey(): Promise<ReceiptKey> {
  const der = Buffer.from(required("DELETION_RECEIPT_KEY"), "base64");
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const kid = await calculateJwkThumbprint(publicKey.export({ format: "jwk" }));
  const secret = Buffer.from(hkdfSync("sha256", der, "", "aftercommit: the keys of deleted rows", 32));
  return {
    privateKey,
    publicKey,
    kid,
    hash: (source, rowId) =>
      createHmac("sha256", secret)
        .update(JSON.stringify([source, rowId]))
        .digest("base64url"),
  };
}
