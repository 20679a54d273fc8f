import { parentPort, workerData } from "node:worker_threads";
import { databaseIn } from "./data-folder.ts";
import { EngineCrash, openEngine } from "./engine.ts";
import { startServer } from "./server.ts";
import { type ThreadMessage, threadDataSchema } from "./thread-protocol.ts";

const { folder, ...options } = threadDataSchema.parse(workerData);

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

process.on("uncaughtException", (error) => {
  if (!(error instanceof EngineCrash)) throw error;
  say({ kind: "crashed", reason: error.message });
  process.exit(1);
});

const server = await startServer({
  ...options,
  open: async () => openEngine(folder === null ? null : await databaseIn(folder)),
  log: (line) => say({ kind: "log", line }),
});
say({ kind: "listening", port: server.port });
// The only message from the other side asks to close.
parentPort?.once("message", async () => {
  await server.close();
  process.exit(0);
});
