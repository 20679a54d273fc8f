import { createHash } from "node:crypto";

/** A webhook to notify of a deleted row. Only `name` may be shown. */
export type WebhookTarget = { name: string; url: string };

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

function parseUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // fetch rejects a URL with a user name.
  return /^https?:$/.test(url.protocol) && !url.username && !url.password ? url : undefined;
}

// A path or a query may contain a token, and names go to the ledger, to Trigger.dev and to the page.
function nameOf({ host, pathname, search, href }: URL): string {
  if (pathname === "/" && !search) return `webhook:${host}`;
  return `webhook:${host}#${createHash("sha256").update(href).digest("hex").slice(0, 8)}`;
}

function parseEntry(text: string): WebhookTarget | undefined {
  const [, given, rest = text] = /^([^:/?#=]*)=(.*)$/.exec(text) ?? [];
  const url = parseUrl(rest);
  if (!url || (given !== undefined && !NAME.test(given))) return undefined;
  return { name: given ?? nameOf(url), url: url.href };
}

/**
 * Reads USER_DELETION_WEBHOOK_URLS: `none`, or URLs separated by commas or spaces, each with an optional `name=`.
 * `problem` says what is wrong without quoting a URL.
 */
export function parseWebhooks(text: string): { targets: WebhookTarget[]; problem?: string } {
  if (text === "none") return { targets: [] };
  const entries = text.split(/[\s,]+/).filter(Boolean);
  const targets = entries.flatMap((entry) => parseEntry(entry) ?? []);
  if (targets.length === 0 || targets.length < entries.length)
    return {
      targets: [],
      problem: "must be none, or http:// or https:// URLs without a user name, as URL or name=URL",
    };
  const twice = targets.find(({ name }, index) => targets.findIndex((other) => other.name === name) < index);
  return twice ? { targets: [], problem: `names two systems ${twice.name}: say name=URL` } : { targets };
}
