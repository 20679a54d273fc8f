// The server as a process of its own, which a test can kill: node --import tsx server-process.ts <data folder>
import { serve } from "./serve.ts";

const server = await serve({ dataDir: process.argv[2] ?? "", log: () => undefined });
console.log(server.url);
