import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

export type HttpAnswer = { status: number; headers: IncomingMessage["headers"]; body: Buffer };

export type Exchange = {
  url: URL;
  headers: Record<string, string>;
  body: Buffer;
  /** The longest silence of the server, in milliseconds; not a limit on the whole response. */
  timeoutMs: number;
  signal: AbortSignal;
};

/** Keep-alive connections for one sink. */
export class Connections {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;

  constructor(maxSockets: number) {
    this.http = new HttpAgent({ keepAlive: true, maxSockets });
    this.https = new HttpsAgent({ keepAlive: true, maxSockets });
  }

  close(): void {
    this.http.destroy();
    this.https.destroy();
  }
}

/** One POST and its whole response. Rejects with Node's socket error; a silent server is code ETIMEDOUT. */
export function exchange(
  { url, headers, body, timeoutMs, signal }: Exchange,
  via: Connections,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === "https:";
    const options = {
      method: "POST",
      headers: { ...headers, "content-length": String(body.length) },
      agent: secure ? via.https : via.http,
      signal,
    };
    const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.setTimeout(timeoutMs, () =>
      request.destroy(Object.assign(new Error(`no answer for ${timeoutMs} ms`), { code: "ETIMEDOUT" })),
    );
    request.on("error", reject);
    // HTTP/1.1 keeps the connection alive without this header, as Sequin's client does.
    request.removeHeader("connection");
    request.end(body);
  });
}

/** The response's text, decompressed. Throws if the content-encoding is wrong; Node 20 has no zstd. */
export function readText(answer: HttpAnswer): string {
  const encoding = answer.headers["content-encoding"]?.toLowerCase();
  if (answer.body.length === 0) return "";
  if (encoding === "gzip") return gunzipSync(answer.body).toString();
  if (encoding === "deflate") return inflateSync(answer.body).toString();
  if (encoding === "br") return brotliDecompressSync(answer.body).toString();
  return answer.body.toString();
}
