import { parseWebhooks } from "../env/webhook-list.ts";

/** Whether a URL of any protocol names this machine with a loopback address. */
export function isOnThisMachine(url: string): boolean {
  return (
    URL.canParse(url) &&
    /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(new URL(url.replace(/^\w+:/, "http:")).hostname)
  );
}

/** Host and port of a URL, which are safe to show. */
export function placeOf(url: string): string {
  const { host } = new URL(url);
  return isOnThisMachine(url) ? `${host}, on this machine` : host;
}

const SECRET = /_(SECRET|SECRET_PREVIOUS|TOKEN|KEY|PASSWORD)$/;

// A shorter value would remove words from the text.
const SHORTEST = 8;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A literal %: nodemailer takes such a password as it is.
    return text;
  }
}

function passwordsIn(text: string): string[] {
  if (!URL.canParse(text) || isOnThisMachine(text)) return [];
  const { password } = new URL(text);
  return [password, decoded(password)];
}

function secretsOf(env: NodeJS.ProcessEnv): string[] {
  const { targets } = parseWebhooks(env.USER_DELETION_WEBHOOK_URLS?.trim() ?? "none");
  const secrets = [
    ...Object.keys(env).flatMap((name) => (SECRET.test(name) ? (env[name]?.trim() ?? "") : [])),
    ...Object.values(env).flatMap((value = "") => passwordsIn(value.trim())),
    ...targets.map(({ url }) => url),
  ];
  return secrets.filter(({ length }) => length >= SHORTEST);
}

/** A text without secrets: a service's response may repeat what it received. */
export const withoutSecrets = (text: string): string =>
  secretsOf(process.env).reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
