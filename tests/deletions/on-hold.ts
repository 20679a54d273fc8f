import { expect, it } from "vitest";
import { holdRow, releaseRow } from "../../packages/aftercommit/src/deletions/holds.ts";
import { deletedUser } from "../helpers/deletions/deleted-user.ts";
import type { startPipeline } from "../helpers/deletions/pipeline.ts";

type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/** What happens to a deletion while its row is on hold. */
export function describeHolds(pipelineOf: () => Pipeline): void {
  it("a deleted user on hold is left alone, and cleaned up by the resumption after the release", async () => {
    const pipeline = pipelineOf();
    const { db } = pipeline.database;
    const { id, email, message } = deletedUser();
    const row = { source: "user", rowId: id };
    await holdRow(db, row, "a court asked for it");
    const run = String((await pipeline.deliver(message)).body.id);
    expect((await pipeline.ended(run)).output).toMatchObject({ status: "held" });
    await pipeline.ended(await pipeline.resume());
    expect((await pipeline.database.deletionOf(id)).run_id).toBe(run);
    expect(await pipeline.callsFor(id)).toEqual([]);
    await releaseRow(db, row);
    await pipeline.ended(await pipeline.resume());
    const { run_id: resumed } = await pipeline.database.deletionOf(id);
    expect((await pipeline.ended(resumed ?? "")).output).toMatchObject({ confirmation: "sent" });
    expect(await pipeline.callsFor(id)).toHaveLength(2);
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
  });
}
