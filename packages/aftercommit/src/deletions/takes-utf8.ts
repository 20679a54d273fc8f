import SMTPConnection from "nodemailer/lib/smtp-connection";

/**
 * Whether a mail server accepts non-ASCII addresses, according to its response to EHLO (rfc-editor.org/rfc/rfc6531).
 * nodemailer would send one to any server, and some servers deliver it to someone else. Rejects like nodemailer.
 */
export async function takesUtf8(options: ConstructorParameters<typeof SMTPConnection>[0]): Promise<boolean> {
  const connection = new SMTPConnection(options);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("error", reject);
      connection.connect(() => resolve());
    });
    return /[ -]SMTPUTF8\b/i.test(connection.lastServerResponse || "");
  } finally {
    connection.close();
  }
}
