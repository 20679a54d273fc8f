// A worker in another process, for `shuffle.test.ts`: one run of the drain after another, or runs for the rows that it
// is sent.
import { once } from "node:events";
import { connect } from "../../../packages/aftercommit/src/db/client.ts";
import { drain } from "../../../packages/aftercommit/src/embeddings/drain.ts";
import { embedOne } from "../../../packages/aftercommit/src/embeddings/embed-one.ts";
import { required } from "../../../packages/aftercommit/src/env/env.ts";
import { notes } from "./notes.ts";

const SIDE_BY_SIDE = 3;
const db = connect(required("DATABASE_URL"));
const [, , mode] = process.argv;
const rows = new Set<string>();
let isStopped = false;

process.on("message", (message) => {
  if (message === "stop") isStopped = true;
  else rows.add(String(message));
});
process.on("disconnect", () => process.exit());

async function drainAgainAndAgain(): Promise<void> {
  const waitUntil = () => Promise.reject(new Error("The provider has no limits"));
  for (let run = 1; !isStopped; run += 1)
    await drain(notes, { db, runId: `run_${process.pid}_${run}`, waitUntil });
}

async function embedRows(): Promise<void> {
  while (!isStopped) {
    const [row] = rows;
    if (row === undefined) {
      await once(process, "message");
      continue;
    }
    rows.delete(row);
    await embedOne(notes, row, { db });
  }
}

await (mode === "batch"
  ? drainAgainAndAgain()
  : Promise.all(Array.from({ length: SIDE_BY_SIDE }, embedRows)));
process.exit();
