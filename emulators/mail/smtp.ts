import { once } from "node:events";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerError, type SMTPServerSession } from "smtp-server";
import type { Mail } from "./mailbox.ts";

export type Received = Omit<Mail, "id" | "receivedAt">;

export type SmtpOptions = {
  host: string;
  /** 0 uses any free port. */
  port: number;
  /** The SMTP status that rejects the next recipient, or undefined to accept it. */
  refusal(): number | undefined;
  /** Whether to break the connection instead of acknowledging the message. */
  drops(): boolean;
  receive(mail: Received): Promise<void>;
};

const MAX_MESSAGE_BYTES = 25 * 1024 * 1024;

function refused(status: number): SMTPServerError {
  return Object.assign(new Error("Refused, as this server was told to"), { responseCode: status });
}

async function read(stream: Readable, { envelope }: SMTPServerSession): Promise<Received> {
  const mail = await PostalMime.parse(await buffer(stream));
  return {
    from: envelope.mailFrom ? envelope.mailFrom.address : "",
    to: envelope.rcptTo.map(({ address }) => address),
    subject: mail.subject ?? "",
    messageId: mail.messageId ?? null,
    text: mail.text ?? "",
    html: mail.html ?? "",
    headers: mail.headers.map(({ key, value }) => ({ key, value })),
  };
}

/**
 * Listens for e-mail without TLS and accepts any user and password. Resolves when it listens; rejects with the system's
 * error if the port is taken.
 */
export async function listenForMail({ host, port, refusal, drops, receive }: SmtpOptions) {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    authOptional: true,
    allowInsecureAuth: true,
    closeTimeout: 1_000,
    size: MAX_MESSAGE_BYTES,
    rejectOversized: true,
    onAuth: ({ username }, _session, callback) => callback(null, { user: username ?? "anyone" }),
    onRcptTo(_address, _session, callback) {
      const status = refusal();
      callback(status === undefined ? null : refused(status));
    },
    onData(stream, session, callback) {
      read(stream, session)
        .then(receive)
        .then(() => {
          if (!drops()) return callback(null);
          for (const connection of server.connections) if (connection.session === session) connection.close();
        })
        .catch(callback);
    },
  });
  // A client that disconnects is not our error; a taken port rejects below.
  server.on("error", () => {});
  server.listen(port, host);
  await once(server.server, "listening");
  const address = server.server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
