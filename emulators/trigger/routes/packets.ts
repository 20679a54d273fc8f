import { createHmac } from "node:crypto";
import { sameSecret } from "@aftercommit/local-shared/same-secret.ts";
import { CreateUploadPayloadUrlResponseBody } from "@trigger.dev/core/v3";
import { type Context, Hono } from "hono";
import { answer } from "../answer.ts";
import { ApiError } from "../errors.ts";
import type { Server } from "../server.ts";

const URL_LIFE_MS = 5 * 60_000;
const MAX_PACKET_BYTES = 50 * 1024 * 1024;
const FILES = "/api/stored-packets";

/**
 * Payloads and outputs over 512 KB are stored separately from their runs: the SDK requests a signed URL, then puts or
 * gets the text there. The URL needs no key while it is valid.
 */
export function packetRoutes(server: Server): Hono {
  const { engine } = server;
  const app = new Hono();

  for (const version of ["v1", "v2"]) {
    app.put(`/api/${version}/packets/*`, (c) => {
      const storagePath = nameIn(c, `/api/${version}/packets/`);
      const presignedUrl = packetUrl(server, storagePath);
      return answer(c, CreateUploadPayloadUrlResponseBody, { presignedUrl, storagePath });
    });
    app.get(`/api/${version}/packets/*`, (c) => {
      const presignedUrl = packetUrl(server, nameIn(c, `/api/${version}/packets/`));
      return answer(c, CreateUploadPayloadUrlResponseBody, { presignedUrl });
    });
  }

  app.put(`${FILES}/*`, async (c) => {
    const id = signedName(server, c);
    const body = await c.req.text();
    if (body.length > MAX_PACKET_BYTES) throw new ApiError(413, "Request body too large");
    const contentType = c.req.header("content-type") ?? "application/json";
    engine.tables.packets.save({ id, contentType, body, createdAt: engine.clock.now() });
    return c.body(null, 200);
  });

  app.get(`${FILES}/*`, (c) => {
    const packet = engine.tables.packets.get(signedName(server, c));
    if (!packet) throw new ApiError(404, "Packet not found");
    return c.body(packet.body, 200, { "content-type": packet.contentType });
  });

  return app;
}

/** A URL at which a stored text can be written or read without a key for five minutes. */
export function packetUrl(server: Server, name: string): string {
  const expires = String(server.engine.clock.now() + URL_LIFE_MS);
  const query = new URLSearchParams({ expires, signature: sign(server, name, expires) });
  return `${server.url()}${FILES}/${encodeURIComponent(name)}?${query}`;
}

function signedName(server: Server, c: Context): string {
  const name = nameIn(c, `${FILES}/`);
  const { expires = "", signature = "" } = c.req.query();
  const genuine = sameSecret(signature, sign(server, name, expires));
  if (!genuine || Number(expires) < server.engine.clock.now())
    throw new ApiError(403, "Signature expired or invalid");
  return name;
}

function nameIn(c: Context, prefix: string): string {
  return decodeURIComponent(new URL(c.req.url).pathname.slice(prefix.length));
}

function sign({ secretKey }: Server, name: string, expires: string): string {
  return createHmac("sha256", secretKey).update(`${expires} ${name}`).digest("hex");
}
