import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { messageOf, RefusedRequestError } from "../errors.ts";

/** Sequin drops messages over 5 MB before delivery; a batch has no limit of its own. In bytes, also after inflating. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

const tooLarge = (options?: ErrorOptions) =>
  new RefusedRequestError(
    413,
    `The body is larger than ${MAX_BODY_BYTES} bytes; lower the sink's batch_size`,
    options,
  );

async function readBytes(request: Request): Promise<Buffer> {
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function inflate(bytes: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_BODY_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge({ cause: error });
    throw new RefusedRequestError(400, `The body is not gzip: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Reads a request's JSON body, inflating gzip (a Next.js route does not). With any other `content-encoding`
 * Sequin sends the plain body.
 * @throws {RefusedRequestError} 413 over {@link MAX_BODY_BYTES}; 400 for broken gzip, UTF-8 or JSON
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await readBytes(request);
  const gzipped = request.headers.get("content-encoding")?.trim().toLowerCase() === "gzip";
  const plain = gzipped ? await inflate(bytes) : bytes;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
  } catch (error) {
    throw new RefusedRequestError(400, `The body is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
