// The Sequin emulator in a separate process, with the variables of its environment and a sequin.yaml.
import { startSequin } from "../../emulators/sequin/start.ts";

const { env } = process;
const configPath = process.argv[2] ?? "";
const sequin = await startSequin({ databaseUrl: env.DATABASE_URL ?? "", configPath, env, log: () => {} });
process.on("SIGINT", () => void sequin.close().then(() => process.exit(0)));
process.stdout.write("ready\n");
