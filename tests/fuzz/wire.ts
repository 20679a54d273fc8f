import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Piece } from "./request.ts";

/** Status 0 means that the server closed the connection without a response. */
export type Answer = { status: number; body: string };

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/**
 * The response in what a server sent; undefined while it is incomplete. Without a content length, it ends with `ended`.
 */
function answerIn(bytes: Buffer, ended: boolean): Answer | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end === -1) return ended ? { status: 0, body: "" } : undefined;
  const head = bytes.subarray(0, end).toString("latin1");
  const rest = bytes.subarray(end + HEAD_END.length);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  if (status >= 100 && status < 200) return answerIn(rest, ended);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const isWhole =
    ended ||
    status === 204 ||
    status === 304 ||
    (length === undefined
      ? rest.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
      : rest.length >= Number(length));
  return isWhole ? { status, body: rest.toString() } : undefined;
}

async function write(socket: Socket, pieces: readonly Piece[]): Promise<void> {
  for (const piece of pieces) {
    if (typeof piece === "number") await sleep(piece);
    else if (socket.destroyed) return;
    else socket.write(piece);
  }
}

/** Sends bytes over a new connection from a loopback address. Rejects if there is no response in time. */
export async function exchange(
  port: number,
  pieces: readonly Piece[],
  { localAddress, limitMs }: { localAddress?: string; limitMs: number },
): Promise<Answer> {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  const received: Buffer[] = [];
  const answered = new Promise<Answer>((resolve, reject) => {
    const look = (ended: boolean) => {
      const answer = answerIn(Buffer.concat(received), ended);
      if (answer) resolve(answer);
    };
    socket.setTimeout(limitMs, () => reject(new Error(`nothing was answered for ${limitMs} ms`)));
    socket.on("data", (chunk) => {
      received.push(chunk);
      look(false);
    });
    // A server may close the connection while a body that it does not want is still being sent.
    socket.on("error", () => {});
    socket.on("close", () => look(true));
  });
  try {
    const [answer] = await Promise.all([answered, write(socket, pieces)]);
    return answer;
  } finally {
    socket.destroy();
  }
}
