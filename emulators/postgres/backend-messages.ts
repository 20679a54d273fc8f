import { frame, int32 } from "./frames.ts";

export const readyForQuery = (status: string): Buffer => frame("Z", Buffer.from(status, "latin1"));
export const authenticationOk = (): Buffer => frame("R", int32(0));
export const parameterStatus = (name: string, value: string): Buffer => frame("S", name, value);
export const backendKeyData = (pid: number, secret: number): Buffer => frame("K", int32(pid), int32(secret));
export const notification = (pid: number, channel: string, payload: string): Buffer =>
  frame("A", int32(pid), channel, payload);

/** Tells a client with a newer protocol, or with protocol extensions, what is not supported here. */
export function negotiateProtocolVersion(extensions: string[]): Buffer {
  return frame("v", int32(3 << 16), int32(extensions.length), ...extensions);
}

export type ErrorFields = { severity?: "ERROR" | "FATAL"; code: string; message: string; hint?: string };

/** Source: PostgreSQL documentation, "Error and Notice Message Fields". */
export function errorResponse({ severity = "ERROR", code, message, hint }: ErrorFields): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${message}`, ...(hint ? [`H${hint}`] : [])];
  return frame("E", ...fields, Buffer.alloc(1));
}

/** The fields of an ErrorResponse by their letters. */
export function errorFields(bytes: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of bytes.toString("latin1", 5).split("\0")) {
    if (field) fields.set(field.slice(0, 1), field.slice(1));
  }
  return fields;
}

export function errorResponseOf(fields: Map<string, string>): Buffer {
  return frame("E", ...[...fields].map(([letter, value]) => letter + value), Buffer.alloc(1));
}
