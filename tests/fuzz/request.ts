export const SECRET = "the secret of the fuzz";
export const PASSWORD = "the password of the fuzz";

export const bearer = (secret: string) => `authorization: Bearer ${secret}`;
export const basic = (password: string) =>
  `authorization: Basic ${Buffer.from(`fuzz:${password}`).toString("base64")}`;

/** Bytes to send, or milliseconds to wait before the next ones. */
export type Piece = Buffer | number;

/** One request as it goes over the wire, and what it may lead to. */
export type FuzzRequest = {
  kind: string;
  pieces: Piece[];
  statuses: readonly number[];
  /** Whether the server may also close the connection without a response, because there is no HTTP to answer. */
  mayClose?: boolean;
  /** The rows that it must have accepted, as runs are tagged: `post:17`. By default none. */
  accepts?: readonly string[];
  /** Whether it comes from an address that has failed often. */
  fromOneAddress?: boolean;
};

type Parts = { method?: string; path: string; headers?: readonly string[]; body?: Buffer | string };

/** A request in the form that every client uses. */
export function plain({ method = "POST", path, headers = [], body }: Parts): Buffer {
  const bytes = Buffer.from(body ?? "");
  const length = body === undefined ? [] : [`content-length: ${bytes.length}`];
  return Buffer.concat([head([`${method} ${path} HTTP/1.1`, "host: fuzz", ...headers, ...length]), bytes]);
}

/**
 * The lines before a body, and the one that ends them. They ask the server to close the connection after its response.
 */
export const head = (lines: readonly string[]) =>
  Buffer.from([...lines, "connection: close", "", ""].join("\r\n"), "latin1");

/** A body in chunks of that many bytes. */
export function chunked(body: Buffer, size: number, extension = ""): Buffer {
  const chunks: Buffer[] = [];
  for (let start = 0; start < body.length; start += size) {
    const part = body.subarray(start, start + size);
    chunks.push(Buffer.from(`${part.length.toString(16)}${extension}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
}
