// The server as a process that a test can kill: node --import tsx server-process.ts <data folder> [port]
import { serve } from "./serve.ts";

const [, , dataDir = "", port] = process.argv;
const server = await serve({ dataDir, port: Number(port ?? 0), log: () => undefined });
console.log(server.url);
