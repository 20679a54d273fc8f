// A worker with a process of its own, for `shuffle.test.ts`: a run of the drain after another, or one for each row that
// it is told.
import { connect } from "../../packages/aftercommit/src/db/client.ts";
import { drain } from "../../packages/aftercommit/src/embeddings/drain.ts";
import { embedOne } from "../../packages/aftercommit/src/embeddings/embed-one.ts";
import { required } from "../../packages/aftercommit/src/env.ts";
import { notes } from "./notes.ts";

const db = connect(required("DATABASE_URL"));
const [, , mode] = process.argv;
let isStopped = false;
let underWay: Promise<unknown> = Promise.resolve();

process.on("message", (message) => {
  if (message === "stop") isStopped = true;
  else underWay = Promise.all([underWay, embedOne(notes, String(message), { db })]);
});
process.on("disconnect", () => process.exit());

if (mode === "batch")
  for (let run = 1; !isStopped; run += 1) {
    const waitUntil = () => Promise.reject(new Error("The provider has no limits"));
    await drain(notes, { db, runId: `run_${process.pid}_${run}`, waitUntil });
  }
else while (!isStopped) await new Promise((resolve) => process.once("message", resolve));
await underWay;
process.exit();
