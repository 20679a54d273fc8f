import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { createTransport } from "nodemailer";
import type { Declaration } from "../declare/declaration.ts";
import { deletionsOf } from "../declare/declarations.ts";
import type { ExternalSystem } from "../declare/external-system.ts";
import { systemsOf } from "../deletions/external-systems.ts";
import { required } from "../env/env.ts";
import { rootMessageOf } from "../errors.ts";
import { mapConcurrent } from "../map-concurrent.ts";
import { type Category, ok, okUnless, skipped, warning } from "./finding.ts";
import { isOnThisMachine, placeOf } from "./shown.ts";

const LIMIT_MS = 5_000;
const ANSWER_MS = 15_000;
const TIMEOUTS = { connectionTimeout: LIMIT_MS, greetingTimeout: LIMIT_MS, socketTimeout: LIMIT_MS };

const SYSTEM =
  "Correct its URL in USER_DELETION_WEBHOOK_URLS or aftercommit.config.ts, or fix the system or its certificate";
const TEST = "Look at its URL, whether its automation is switched on, and whether it knows the secret";
const SMTP = "Correct SMTP_URL: smtp://user:password@host:587 or smtps://user:password@host:465";

type System = { row: string; system: ExternalSystem };

/** The systems of all declared deletions, each once: all declarations share the webhooks of the variable. */
function readSystems(declarations: readonly Declaration[]): System[] {
  const all = deletionsOf(declarations).flatMap((declaration) =>
    systemsOf(declaration).map((system) => ({ row: declaration.row, system })),
  );
  return [...new Map(all.map((one) => [one.system.name, one])).values()];
}

/** The URL at which a system is called, if it uses HTTP. */
function urlOf({ row, system }: System): string | undefined {
  const about = { row, id: "0", email: null, requestedAt: new Date(), idempotencyKey: "doctor" };
  return system.request?.(about)?.url;
}

/** Connects to a system without a request, so that it is not notified of a deletion. */
async function meet(one: System): Promise<void> {
  const url = urlOf(one);
  if (url === undefined) return;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const servername = /[a-z]/i.test(host) ? host : "";
  const isPlain = protocol === "http:";
  const socket = isPlain
    ? connect(Number(port || 80), host)
    : connectTls({ host, port: Number(port || 443), servername });
  try {
    await once(socket, isPlain ? "connect" : "secureConnect", { signal: AbortSignal.timeout(LIMIT_MS) });
  } finally {
    socket.destroy();
  }
}

const test = async ({ row, system }: System) =>
  system.test?.({ row, signal: AbortSignal.timeout(ANSWER_MS) });

/** Asks each system. Resolves with the errors. */
async function errorsOf(systems: readonly System[], ask: (one: System) => Promise<void>): Promise<string[]> {
  const errors = await mapConcurrent(systems, (one) =>
    ask(one).then(
      () => [],
      (error: unknown) => [`${one.system.name}: ${rootMessageOf(error)}`],
    ),
  );
  return errors.flat();
}

const namesOf = (systems: readonly System[]) => systems.map(({ system }) => system.name).join(", ");

/** Whether this process can reach everyone who is notified of a deletion. */
export const deletions: Category = async function* ({ check, declarations, testWebhooks }) {
  yield check("deletions.systems", SYSTEM, async () => {
    const systems = readSystems(declarations);
    const errors = await errorsOf(systems, meet);
    if (errors.length > 0) return okUnless(errors, "");
    const plain = systems.filter((one) => {
      const url = urlOf(one);
      return url?.startsWith("http:") && !isOnThisMachine(url);
    });
    return plain.length > 0
      ? warning(`by http: ${namesOf(plain)}`)
      : ok(namesOf(systems) || "there are none");
  });

  yield check("deletions.test", TEST, async () => {
    if (!testWebhooks) return skipped("npx aftercommit doctor --test-webhooks sends them");
    const systems = readSystems(declarations).filter(({ system }) => system.test !== undefined);
    const errors = await errorsOf(systems, test);
    return okUnless(errors, systems.length > 0 ? `accepted by ${namesOf(systems)}` : "there are none");
  });

  yield check("deletions.mail", SMTP, async () => {
    if (deletionsOf(declarations).every(({ email }) => email === undefined))
      return skipped("no declaration has an e-mail column");
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
