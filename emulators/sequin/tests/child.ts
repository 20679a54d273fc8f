import { startSequin } from "../start.ts";
import { FAST } from "./stack.ts";

const [, , databaseUrl = "", configPath = ""] = process.argv;
await startSequin({ databaseUrl, configPath, env: {}, log: () => {}, pace: FAST });
process.stdout.write("ready\n");
