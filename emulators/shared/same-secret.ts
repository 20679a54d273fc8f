import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Compares a secret in constant time: digests have one length, whatever was given. */
export const sameSecret = (given: string, secret: string) => timingSafeEqual(digest(given), digest(secret));
