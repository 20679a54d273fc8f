import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const mailSchema = z.object({
  id: z.string(),
  /** ISO 8601. */
  receivedAt: z.string(),
  /** The addresses of the SMTP envelope. */
  from: z.string(),
  to: z.array(z.string()),
  /** From the message's header. */
  subject: z.string(),
  messageId: z.string().nullable(),
  text: z.string(),
  html: z.string(),
  headers: z.array(z.object({ key: z.string(), value: z.string() })),
});

export type Mail = z.infer<typeof mailSchema>;

const KEPT = 100;
const FILE = /^mail_\d+_[0-9a-f]+\.json$/;

/** The last 100 messages. With a folder, they survive a restart. */
export type Mailbox = {
  /** Resolves when the message is stored, so that nothing that SMTP accepted is lost. */
  add(mail: Omit<Mail, "id" | "receivedAt">): Promise<Mail>;
  /** Newest first. */
  list(): Mail[];
  find(id: string): Mail | undefined;
};

async function load(dataDir: string): Promise<Mail[]> {
  await mkdir(dataDir, { recursive: true });
  const names = (await readdir(dataDir)).filter((name) => FILE.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(dataDir, name), "utf8")));
  return texts.map((text) => mailSchema.parse(JSON.parse(text)));
}

/** Opens a folder's mailbox, or one in memory. Rejects if the folder cannot be read. */
export async function openMailbox(dataDir?: string): Promise<Mailbox> {
  const mails = dataDir === undefined ? [] : await load(dataDir);
  const pathOf = (folder: string, { id }: Mail) => join(folder, `${id}.json`);

  async function store(folder: string, mail: Mail): Promise<void> {
    const path = pathOf(folder, mail);
    // By renaming, so that a killed process leaves no partial message.
    await writeFile(`${path}.part`, JSON.stringify(mail));
    await rename(`${path}.part`, path);
  }

  return {
    async add(received) {
      const now = new Date();
      const id = `mail_${now.getTime()}_${randomBytes(4).toString("hex")}`;
      const mail = { ...received, id, receivedAt: now.toISOString() };
      if (dataDir !== undefined) await store(dataDir, mail);
      mails.push(mail);
      for (const old of mails.splice(0, Math.max(0, mails.length - KEPT)))
        if (dataDir !== undefined) await rm(pathOf(dataDir, old), { force: true });
      return mail;
    },
    list: () => mails.toReversed(),
    find: (id) => mails.find((mail) => mail.id === id),
  };
}
