import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Compares a secret in constant time: digests have equal length, whatever was given. */
export const safeEqual = (given: string, secret: string) => timingSafeEqual(digest(given), digest(secret));
