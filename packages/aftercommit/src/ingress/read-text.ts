import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { messageOf, RefusedRequestError } from "../errors.ts";
import { DeadlineError, withDeadline } from "../with-deadline.ts";
import { shortenStrings } from "./shorten-strings.ts";

// Looking at each byte takes 20 ms per MB, which few deliveries are worth.
const SHORTENED_FROM = 4 * 1024 * 1024;

/** In bytes, after decompression or shortening. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

// Each step waits for a thread: with Node.js' 16 KB steps, a gzip bomb took half a minute on a busy machine.
const INFLATED_AT_ONCE = 256 * 1024;

const tooLarge = (options?: ErrorOptions) =>
  new RefusedRequestError(
    413,
    `The body is larger than ${MAX_BODY_BYTES} bytes; lower the sink's batch_size`,
    options,
  );

async function allOf(body: ReadableStreamDefaultReader<Uint8Array>, shortened: boolean): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let shorten: ((chunk: Uint8Array) => Uint8Array) | undefined;
  const add = (chunk: Uint8Array) => {
    const kept = shorten ? shorten(chunk) : chunk;
    bytes += kept.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(kept);
  };
  for (;;) {
    const { done, value } = await body.read();
    if (done) return Buffer.concat(chunks);
    if (shortened && !shorten && bytes + value.byteLength > SHORTENED_FROM) {
      shorten = shortenStrings();
      bytes = 0;
      for (const chunk of chunks.splice(0)) add(chunk);
    }
    add(value);
  }
}

async function readBytes(request: Request, deadline: number, shortened: boolean): Promise<Buffer> {
  const body = request.body?.getReader();
  if (!body) return Buffer.alloc(0);
  try {
    return await withDeadline(() => allOf(body, shortened), deadline);
  } catch (cause) {
    if (cause instanceof RefusedRequestError) throw cause;
    if (cause instanceof DeadlineError)
      throw new RefusedRequestError(408, "The body did not come in time", { cause });
    throw new RefusedRequestError(400, `The body did not come whole: ${messageOf(cause)}`, { cause });
  } finally {
    // The rest is not read.
    body.cancel().catch(() => {});
  }
}

async function inflate(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_BODY_BYTES, chunkSize: INFLATED_AT_ONCE });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge({ cause: error });
    throw new RefusedRequestError(400, `The body is not gzip: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Reads a request's body as text and decompresses gzip (a Next.js route does not). With any other `content-encoding`,
 * Sequin sends the uncompressed body. With `shortened`, the long strings of a body over 4 MB lose their ends, unless it
 * is compressed: a large transaction is bounded by its messages, and not by the texts that they carry and nobody reads.
 * @throws {RefusedRequestError} 413 over {@link MAX_BODY_BYTES}; 408 if it is not complete by `deadline`, in Unix
 * milliseconds; 400 if it breaks off, and for invalid gzip or UTF-8
 */
export async function readText(
  request: Request,
  { deadline, shortened }: { deadline: number; shortened: boolean },
): Promise<string> {
  const gzipped = request.headers.get("content-encoding")?.trim().toLowerCase() === "gzip";
  const bytes = await readBytes(request, deadline, shortened && !gzipped);
  const plain = gzipped ? await inflate(bytes) : bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    throw new RefusedRequestError(400, `The body is not UTF-8: ${messageOf(error)}`, { cause: error });
  }
}
