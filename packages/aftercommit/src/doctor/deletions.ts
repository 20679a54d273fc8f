import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { createTransport } from "nodemailer";
import { parseWebhooks, type WebhookTarget } from "../deletions/webhook-list.ts";
import { required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { type Category, ok, okUnless, warning } from "./finding.ts";
import { isOnThisMachine, placeOf } from "./shown.ts";

const LIMIT_MS = 5_000;
const TIMEOUTS = { connectionTimeout: LIMIT_MS, greetingTimeout: LIMIT_MS, socketTimeout: LIMIT_MS };

const SYSTEM = "Correct its URL in USER_DELETION_WEBHOOK_URLS, or fix the system or its certificate";
const SMTP = "Correct SMTP_URL: smtp://user:password@host:587 or smtps://user:password@host:465";

/** Connects to a system and sends no request, so that nobody is notified of a deletion. Resolves with the error. */
async function meet({ name, url }: WebhookTarget): Promise<string | undefined> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const servername = /[a-z]/i.test(host) ? host : "";
  const isPlain = protocol === "http:";
  const socket = isPlain
    ? connect(Number(port || 80), host)
    : connectTls({ host, port: Number(port || 443), servername });
  try {
    await once(socket, isPlain ? "connect" : "secureConnect", { signal: AbortSignal.timeout(LIMIT_MS) });
    return undefined;
  } catch (error) {
    return `${name}: ${rootMessageOf(error)}`;
  } finally {
    socket.destroy();
  }
}

/** Whether those who are notified of a deletion can be reached from here. */
export const deletions: Category = async function* ({ check }) {
  yield check("deletions.systems", SYSTEM, async () => {
    const { targets } = parseWebhooks(required("USER_DELETION_WEBHOOK_URLS"));
    const errors = (await mapConcurrent(targets, meet)).flatMap((error) => error ?? []);
    const plain = targets.filter(({ url }) => url.startsWith("http:") && !isOnThisMachine(url));
    if (errors.length === 0 && plain.length > 0) return warning(`by http: ${plain.map(({ name }) => name)}`);
    return okUnless(errors, targets.map(({ name }) => name).join(", ") || "there are none");
  });

  yield check("deletions.mail", SMTP, async () => {
    const url = required("SMTP_URL");
    const transport = createTransport({ url, disableFileAccess: true, disableUrlAccess: true, ...TIMEOUTS });
    try {
      await transport.verify();
      return ok(placeOf(url));
    } finally {
      transport.close();
    }
  });
};
