import { once as event } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { parseWebhooks, type WebhookTarget } from "../deletions/webhook-list.ts";
import { required } from "../env.ts";
import { rootMessageOf } from "../errors.ts";
import { inParallel } from "../in-parallel.ts";
import { type Check, good, once, problem } from "./check.ts";
import { isOnThisMachine } from "./on-this-machine.ts";

const LIMIT_MS = 5_000;
const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

/** What became of a connection to a system; no request is sent, so no deletion either. */
type Met = WebhookTarget & { failure?: string; daysLeft?: number };

function open({ protocol, hostname, port }: URL): { socket: Socket; ready: string } {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (protocol === "http:") return { socket: connect(Number(port || 80), host), ready: "connect" };
  return {
    socket: connectTls({ host, port: Number(port || 443), servername: /[a-z]/i.test(host) ? host : "" }),
    ready: "secureConnect",
  };
}

async function meet(target: WebhookTarget): Promise<Met> {
  const { socket, ready } = open(new URL(target.url));
  try {
    await event(socket, ready, { signal: AbortSignal.timeout(LIMIT_MS) });
    if (!(socket instanceof TLSSocket)) return target;
    const { valid_to: end } = socket.getPeerCertificate();
    return { ...target, daysLeft: Math.floor((Date.parse(end) - Date.now()) / DAY_MS) };
  } catch (error) {
    return { ...target, failure: rootMessageOf(error) };
  } finally {
    socket.destroy();
  }
}

const listed = (systems: readonly Met[], words: (system: Met) => string) =>
  systems.map((system) => `${system.name} ${words(system)}`).join("; ");

/** Whether the systems of USER_DELETION_WEBHOOK_URLS can be reached, by a connection to each. */
export function externalSystems(): Check[] {
  const met = once(async () => {
    const { targets, problem: malformed } = parseWebhooks(required("USER_DELETION_WEBHOOK_URLS"));
    if (malformed) throw new Error(malformed);
    return inParallel(targets, meet);
  });
  return [
    {
      id: "external-systems.reachable",
      description: "every external system takes a connection, by TLS where its URL is https (sends nothing)",
      hint: "Correct its URL in USER_DELETION_WEBHOOK_URLS, or mend the system or its certificate",
      fatal: true,
      async run() {
        const systems = await met();
        const failed = systems.filter(({ failure }) => failure !== undefined);
        if (failed.length > 0) return problem(listed(failed, ({ failure }) => failure ?? ""));
        const names = systems.map(
          ({ name, url }) => `${name}${isOnThisMachine(url) ? ", on this machine" : ""}`,
        );
        return good(names.join("; ") || "none are to be told");
      },
    },
    {
      id: "external-systems.encrypted",
      description: "no external system is told in the clear over a network",
      hint: "Give its https:// URL in USER_DELETION_WEBHOOK_URLS",
      warning: true,
      async run() {
        const { targets } = parseWebhooks(required("USER_DELETION_WEBHOOK_URLS"));
        const open = targets.filter(({ url }) => url.startsWith("http:") && !isOnThisMachine(url));
        return open.length === 0 ? good("none") : problem(listed(open, () => "by http"));
      },
    },
    {
      id: "external-systems.certificates",
      description: `no external system's certificate ends within ${SOON_DAYS} days`,
      hint: "Have its owner renew the certificate",
      warning: true,
      needs: ["external-systems.reachable"],
      async run() {
        const systems = await met();
        const ending = systems.filter(({ daysLeft = SOON_DAYS }) => daysLeft < SOON_DAYS);
        if (ending.length > 0) return problem(listed(ending, ({ daysLeft }) => `in ${daysLeft} days`));
        const known = systems.filter(({ daysLeft }) => daysLeft !== undefined);
        return good(listed(known, ({ daysLeft }) => `in ${daysLeft} days`) || "none has one");
      },
    },
  ];
}
