import { ProtocolError, stringAt } from "./frames.ts";

export type StartPacket =
  | { kind: "encryption" }
  | { kind: "cancel" }
  | { kind: "start"; minor: number; parameters: Map<string, string> }
  | { kind: "unsupported"; version: string };

/** Source: PostgreSQL documentation, "Message Formats": SSLRequest, GSSENCRequest, CancelRequest, StartupMessage. */
export function readStartPacket(bytes: Buffer): StartPacket {
  if (bytes.length < 8) throw new ProtocolError("invalid length of startup packet");
  const code = bytes.readInt32BE(4);
  if (code === 80877103 || code === 80877104) return { kind: "encryption" };
  if (code === 80877102) return { kind: "cancel" };
  const major = code >> 16;
  const minor = code & 0xffff;
  if (major !== 3) return { kind: "unsupported", version: `${major}.${minor}` };
  const parameters = new Map<string, string>();
  for (let at = 8; bytes.readUInt8(at) !== 0; ) {
    const name = stringAt(bytes, at);
    const value = stringAt(bytes, name.next);
    parameters.set(name.value, value.value);
    at = value.next;
    if (at >= bytes.length)
      throw new ProtocolError("invalid startup packet layout: expected terminator as last byte");
  }
  return { kind: "start", minor, parameters };
}

const notSettings = new Set(["user", "database", "replication", "options"]);

/** The settings that a client requests when it connects, by name in lowercase. */
export function startupSettings(parameters: ReadonlyMap<string, string>): Map<string, string> {
  const settings = new Map<string, string>();
  const options = (parameters.get("options") ?? "").match(/(?:\\[\s\S]|[^\\\s])+/g) ?? [];
  const words = options.map((word) => word.replace(/\\([\s\S])/g, "$1"));
  const assignments = words.flatMap((word, index) => {
    if (word === "-c") return words[index + 1] ?? [];
    if (word.startsWith("--")) return word.slice(2);
    return word.startsWith("-c") ? word.slice(2) : [];
  });
  for (const assignment of assignments) {
    const [name = "", ...value] = assignment.split("=");
    settings.set(name.toLowerCase().replaceAll("-", "_"), value.join("="));
  }
  for (const [name, value] of parameters) {
    if (!notSettings.has(name) && !name.startsWith("_pq_.")) settings.set(name.toLowerCase(), value);
  }
  if (/^utf-?8$|^unicode$/i.test(settings.get("client_encoding") ?? "")) settings.delete("client_encoding");
  return settings;
}
