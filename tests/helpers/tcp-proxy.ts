import { connect, createServer, type Socket } from "node:net";
import { onFreePort } from "./on-free-port.ts";

/** A proxy between a client and a server on loopback, on a free port. It can go silent without closing anything. */
export async function startTcpProxy(target: { port: number }) {
  let silent = false;
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    return socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    track(near);
    const far = track(connect(target.port, "127.0.0.1"));
    near.on("data", (bytes) => !silent && far.write(bytes)).on("close", () => far.destroy());
    far.on("data", (bytes) => !silent && near.write(bytes)).on("close", () => near.destroy());
  });
  const { port, close } = await onFreePort(server);
  return {
    port,
    /** From now on nothing passes. Connections are still accepted. */
    goSilent() {
      silent = true;
    },
    /** From now on everything passes. Connections that missed something stay broken, as after a failover. */
    recover() {
      silent = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await close();
    },
  };
}
