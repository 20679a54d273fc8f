import addressparser from "nodemailer/lib/addressparser";

const MAILBOX = /^(?:"(?:[^"\\]|\\.)*"|[^\s@<>"]+)@[^\s@<>"]+$/;

/** Whether the part of an address before the @ is ASCII. A domain that is not has an ASCII form. */
export const isAscii = (address: string) => /^[\x20-\x7e]*$/.test(address.slice(0, address.lastIndexOf("@")));

/**
 * The one address that a text holds, as nodemailer reads it: `Ann <ann@example.com>` holds one. Undefined where the text
 * is none, or could be read in another way.
 */
export function addressOf(text: string): string | undefined {
  const [only, ...others] = addressparser(text);
  if (!only?.address || others.length > 0) return undefined;
  // `ann@exa mple.com` is read as an address and a name.
  const isPlain = only.name === "" || text.trimEnd().endsWith(`<${only.address}>`);
  const isOnlyOne = text.split("@").length === 2;
  return isPlain && isOnlyOne && MAILBOX.test(only.address) ? only.address : undefined;
}
