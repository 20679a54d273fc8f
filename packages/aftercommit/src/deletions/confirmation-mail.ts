/** `key` identifies the deletion, and `rowId` the account for its owner. */
type Deletion = { key: string; rowId: string; email: string; requestedAt: Date };

const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });

const domainOf = (from: string) => /@([^@>\s]+)>?$/.exec(from)?.[1] ?? "localhost";

const escaped = (text: string) => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Tells the owner of a deleted account that everything about them is deleted. It contains no name, because none is
 * kept. `messageId` is the same whenever it is sent again.
 */
export function confirmationMail({ key, rowId, email, requestedAt }: Deletion, from: string) {
  const paragraphs = [
    "Hello,",
    `your account was deleted on ${day.format(requestedAt)}. What we had about you has been removed from our database and from every system that we use.`,
    "This is our last message to you: this address has been removed as well.",
    `Reference: ${rowId}`,
  ];
  const body = paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join("\n");
  return {
    from,
    to: email,
    subject: "Your account has been deleted",
    text: `${paragraphs.join("\n\n")}\n`,
    html: `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Your account has been deleted</title></head>\n<body style="font-family: sans-serif; line-height: 1.5">\n${body}\n</body>\n</html>\n`,
    messageId: `<${key}@${domainOf(from)}>`,
  };
}

export type Mail = ReturnType<typeof confirmationMail>;
