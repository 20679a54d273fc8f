import { expect, it } from "vitest";
import { defineEmbedding, defineTrigger } from "../define.ts";
import { diagnose } from "./diagnose.ts";

it("looks for no slot, publication or sink if other sources deliver all changes", async () => {
  const events = defineTrigger({ row: "event", table: "events", key: "id", task: "send", from: "debezium" });
  const posts = defineEmbedding({ row: "post", table: "posts", key: "id", text: ["a"], from: "supabase" });
  expect(await diagnose([events, posts], { only: ["capture"] })).toMatchObject([
    { id: "capture.wal", state: "skipped", actual: "no declaration is from Sequin or capture" },
    { id: "capture.sinks", state: "skipped", actual: "no declaration is from Sequin" },
  ]);
});
