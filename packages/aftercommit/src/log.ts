type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes one event as a line of JSON. Fields contain ids and counts, never a body, an address or a secret. */
export function log(level: "info" | "warn" | "error", event: string, fields: Fields = {}): void {
  console[level](JSON.stringify({ event, ...fields }));
}
