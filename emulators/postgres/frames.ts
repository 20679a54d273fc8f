/** One protocol message: its type letter and all its bytes, header included. */
export type Frame = { type: string; bytes: Buffer };

/** A client violated the protocol's framing; the connection cannot continue. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
}

/** Collects a client's bytes and returns complete messages. Source: PostgreSQL documentation, "Message Formats". */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The start packet has no type letter; its type here is the empty string. Null until it is complete. */
  nextStartPacket(): Buffer | null {
    return this.#take(0, 10_000);
  }

  nextFrame(): Frame | null {
    const bytes = this.#take(1, this.#maxBytes);
    return bytes && { type: String.fromCharCode(bytes.readUInt8(0)), bytes };
  }

  #take(typeBytes: number, maxBytes: number): Buffer | null {
    const header = typeBytes + 4;
    if (this.#length < header) return null;
    const length = this.#head(header).readInt32BE(typeBytes);
    if (length < 4 || length > maxBytes) throw new ProtocolError(`invalid message length ${length}`);
    const total = typeBytes + length;
    if (this.#length < total) return null;
    const head = this.#head(total);
    this.#chunks[0] = head.subarray(total);
    this.#length -= total;
    if (head.length === total) this.#chunks.shift();
    return head.subarray(0, total);
  }

  #head(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= bytes) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

/** Splits whole backend messages. */
export function splitFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    frames.push({ type: String.fromCharCode(bytes.readUInt8(at)), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return frames;
}

/** Builds a message; strings are written as Latin-1 (that is, as the bytes they came from) with a closing zero. */
export function frame(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`, "latin1") : part)),
  );
  const header = Buffer.alloc(5);
  header.write(type, 0, "latin1");
  header.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

/** The zero-terminated string at an offset, as Latin-1; the rest of the message follows at `next`. */
export function stringAt(bytes: Buffer, at: number): { value: string; next: number } {
  const end = bytes.indexOf(0, at);
  if (end < 0) throw new ProtocolError("invalid string in message");
  return { value: bytes.toString("latin1", at, end), next: end + 1 };
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
