import { startPostgres } from "../start.ts";

const [dataDir = null] = process.argv.slice(2);
const postgres = await startPostgres({
  dataDir,
  host: "127.0.0.1",
  port: 0,
  log: (line) => console.log(line),
});
console.log(`url ${postgres.url}`);
process.on("SIGTERM", () => postgres.close().then(() => process.exit()));
