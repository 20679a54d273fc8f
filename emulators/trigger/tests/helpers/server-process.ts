// The server as a process that a test can kill: node --import tsx server-process.ts <data folder> [port]
// It has loaded everything when it says "ready", and serves once it reads a line.
import { once } from "node:events";
import { serve } from "./serve.ts";

const [, , dataDir = "", port] = process.argv;
console.log("ready");
await once(process.stdin, "data");
const server = await serve({ dataDir, port: Number(port ?? 0), log: () => undefined });
console.log(server.url);
