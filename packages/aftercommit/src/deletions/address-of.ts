import addressparser from "nodemailer/lib/addressparser";

const MAILBOX = /^(?:"(?:[^"\\]|\\.)*"|[^\s@<>"]+)@[^\s@<>"]+$/;

/** Whether the part of an address before the @ is ASCII. A non-ASCII domain has an ASCII form. */
export const isAscii = (address: string) => /^[\x20-\x7e]*$/.test(address.slice(0, address.lastIndexOf("@")));

/**
 * The one address in a text, as nodemailer reads it: `Ann <ann@example.com>` holds one. Undefined if the text holds
 * none, or is ambiguous.
 */
export function addressOf(text: string): string | undefined {
  const [only, ...others] = addressparser(text);
  if (!only?.address || others.length > 0) return undefined;
  // nodemailer reads `ann@exa mple.com` as an address and a name.
  const isPlain = only.name === "" || text.trimEnd().endsWith(`<${only.address}>`);
  const isOnlyOne = text.split("@").length === 2;
  return isPlain && isOnlyOne && MAILBOX.test(only.address) ? only.address : undefined;
}
