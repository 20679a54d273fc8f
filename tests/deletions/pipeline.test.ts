import { runs, tasks } from "@trigger.dev/sdk";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deletionsOnPage } from "../../packages/aftercommit/src/status/deletions.ts";
import { deletedUser } from "../helpers/deletions/deleted-user.ts";
import { startPipeline } from "../helpers/deletions/pipeline.ts";
import { until } from "../helpers/until.ts";
import { describeLosses } from "./losses.ts";
import { describeHolds } from "./on-hold.ts";

const [BATCH, MALFORMED] = [50, 31];

let pipeline: Awaited<ReturnType<typeof startPipeline>>;

beforeAll(async () => {
  pipeline = await startPipeline(["crm", "billing"]);
});
afterAll(() => pipeline?.close());
afterEach(() => pipeline.recover());

const systems = (status: string) => ({
  [pipeline.systemOf("crm")]: status,
  [pipeline.systemOf("billing")]: status,
});

describe("a deleted user", () => {
  it("is cleaned up in every system and then gets one e-mail", async () => {
    const { id, email, run } = await pipeline.deleteUser();
    const { status, output } = await pipeline.ended(run);
    const { id: deletionId } = await pipeline.database.deletionOf(id);
    expect({ status, output }).toEqual({
      status: "COMPLETED",
      output: { deletionId, status: "complete", systems: systems("clean"), confirmation: "sent" },
    });
    expect((await pipeline.callsFor(id)).map(({ system }) => system).sort()).toEqual(["billing", "crm"]);
    const [mail, ...others] = await pipeline.mailsTo(email ?? "");
    expect(others).toEqual([]);
    const deletion = await pipeline.database.deletionOf(id);
    const doneAt = Object.values(deletion.systems).map((system) => Date.parse(system.done_at ?? ""));
    expect(Date.parse(mail?.receivedAt ?? "")).toBeGreaterThanOrEqual(Math.max(...doneAt));
    expect(deletion).toMatchObject({ email: null, run_id: run, last_error: null });
    expect(deletion.completed_at).toBeInstanceOf(Date);
  });

  it("is cleaned up and confirmed once when the change is delivered again, during the run and after it", async () => {
    await pipeline.fail({ name: "crm", status: 503, times: 1 });
    const { id, email, run, message } = await pipeline.deleteUser();
    await until(async () => (await pipeline.callsFor(id)).length > 0, {
      what: "run to work",
      progress: pipeline.progress,
    });
    expect((await pipeline.deliver(message)).body).toEqual({ id: run });
    await pipeline.ended(run);
    expect((await pipeline.deliver(message)).body).toEqual({ id: run });
    expect(await pipeline.runsOf(id, "user-deletion-cleanup")).toHaveLength(1);
    const cleaned = (await pipeline.callsFor(id)).filter(({ status }) => status === 204);
    expect(cleaned.map(({ system }) => system).sort()).toEqual(["billing", "crm"]);
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
  });

  it("is not cleaned up and confirmed twice by two runs at the same time", async () => {
    const deleted = deletedUser();
    const { id, email } = deleted;
    let run = "";
    const release = await pipeline.holdCalls(async () => {
      run = String((await pipeline.deliver(deleted.message)).body.id);
    });
    const { id: deletionId } = await pipeline.database.deletionOf(id);
    const second = await tasks.trigger("user-deletion-cleanup", { userId: id, deletionId });
    expect((await pipeline.ended(second.id)).output).toEqual({
      deletionId,
      status: "under-way",
      owner: run,
    });
    release();
    expect((await pipeline.ended(run)).status).toBe("COMPLETED");
    expect(await pipeline.callsFor(id)).toHaveLength(2);
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
  });

  it("is not cleaned up and confirmed again when a person replays any of its runs", async () => {
    const { id, email, run } = await pipeline.deleteUser();
    await pipeline.ended(run);
    const steps = ["user-deletion-cleanup", "clean-up-external-system", "send-deletion-confirmation"];
    const originals = (await Promise.all(steps.map((task) => pipeline.runsOf(id, task)))).flat();
    expect(originals).toHaveLength(4);
    const before = await pipeline.database.deletionOf(id);
    for (const original of originals) {
      const replay = await runs.replay(original.id);
      expect((await pipeline.ended(replay.id)).status).toBe("COMPLETED");
    }
    expect(await pipeline.callsFor(id)).toHaveLength(2);
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
    expect(await pipeline.database.deletionOf(id)).toEqual(before);
  });

  it("causes no notification while the user exists, and does when deleted again", async () => {
    const user = deletedUser();
    await pipeline.database.db.execute(sql`insert into users (id, first_name, last_name, email)
      values (${user.id}, 'Jane', 'Doe', ${user.email})`);
    const forged = String((await pipeline.deliver(user.message)).body.id);
    expect((await pipeline.ended(forged)).output).toMatchObject({ status: "row-is-back" });
    expect(await pipeline.callsFor(user.id)).toEqual([]);
    expect(await pipeline.mailsTo(user.email ?? "")).toEqual([]);
    expect(await pipeline.runsOf(user.id, "clean-up-external-system")).toEqual([]);

    await pipeline.database.db.execute(sql`delete from users where id = ${user.id}`);
    const { run } = await pipeline.deleteUser({ id: user.id });
    expect((await pipeline.ended(run)).output).toMatchObject({ confirmation: "sent" });
    const deletions = await pipeline.database.deletionsOf(user.id);
    expect(deletions.map(({ outcome }) => outcome)).toEqual(["row_is_back", "completed"]);
    expect(await pipeline.callsFor(user.id)).toHaveLength(2);
    expect(await pipeline.mailsTo(user.email ?? "")).toHaveLength(1);
  });

  it("stays open, named and unconfirmed if the tasks lack a system that must be notified", async () => {
    const before = process.env.USER_DELETION_WEBHOOK_URLS;
    process.env.USER_DELETION_WEBHOOK_URLS = `${before},analytics=https://analytics.example/s3cret`;
    const { id, email, run } = await pipeline.deleteUser();
    process.env.USER_DELETION_WEBHOOK_URLS = before;
    const failed = await pipeline.ended(run);
    expect(failed).toMatchObject({ status: "FAILED", attemptCount: 1 });
    expect(failed.error?.message).toBe("Not clean: analytics (not configured where the task runs)");
    const deletion = await pipeline.database.deletionOf(id);
    expect(deletion).toMatchObject({ completed_at: null, email, last_error: failed.error?.message });
    expect(deletion.environment).toMatch(/^proj_pipeline\/\w+$/);
    expect(await pipeline.callsFor(id)).toHaveLength(2);
    expect(await pipeline.mailsTo(email ?? "")).toEqual([]);
    const [page] = await deletionsOnPage(pipeline.database.db);
    expect(page?.steps.find(({ name }) => name === "analytics")).toMatchObject({ state: "failed" });
  });

  it(`is cleaned up with ${BATCH - 2} others when one of a batch of ${BATCH} is malformed`, async () => {
    const users = Array.from({ length: BATCH }, () => deletedUser());
    const data = users.map(({ message }, index) =>
      index === MALFORMED ? { ...message, metadata: 1 } : message,
    );
    const first = await pipeline.deliver({ data });
    expect(first.status).toBe(200);
    expect(first.body.errors).toMatchObject([{ at: `data[${MALFORMED}].metadata` }]);
    for (const run of first.body.runs) expect((await pipeline.ended(run)).status).toBe("COMPLETED");
    expect(await pipeline.deliver({ data })).toEqual(first);
    for (const [index, { id, email }] of users.entries()) {
      expect(await pipeline.callsFor(id)).toHaveLength(index === MALFORMED ? 0 : 2);
      expect(await pipeline.mailsTo(email ?? "")).toHaveLength(index === MALFORMED ? 0 : 1);
    }
  });

  it("retries only the failing system, until it works", async () => {
    await pipeline.fail({ name: "crm", status: 500, times: 2 });
    const { id, run } = await pipeline.deleteUser();
    expect((await pipeline.ended(run)).output).toMatchObject({ confirmation: "sent" });
    const attempts = (await pipeline.runsOf(id, "clean-up-external-system")).map(
      ({ attemptCount }) => attemptCount,
    );
    expect(attempts.sort()).toEqual([1, 3]);
    expect(await pipeline.runsOf(id, "user-deletion-cleanup")).toMatchObject([{ attemptCount: 1 }]);
    expect((await pipeline.callsFor(id)).map(({ system, status }) => `${system} ${status}`).sort()).toEqual([
      "billing 204",
      "crm 204",
      "crm 500",
      "crm 500",
    ]);
  });

  it("gets no e-mail when a system fails permanently, until resume-user-deletions finishes the rest", async () => {
    await pipeline.fail({ name: "crm", status: 500 });
    const { id, email, run } = await pipeline.deleteUser();
    const failed = await pipeline.ended(run);
    expect(failed.status).toBe("FAILED");
    expect(failed.error?.message).toBe(`Not clean: ${pipeline.systemOf("crm")} (answered 500)`);
    expect(failed.attemptCount).toBe(1);
    expect(await pipeline.mailsTo(email ?? "")).toEqual([]);
    expect(await pipeline.database.deletionOf(id)).toMatchObject({
      last_error: failed.error?.message,
      completed_at: null,
      systems: {
        [pipeline.systemOf("crm")]: { error: "answered 500" },
        [pipeline.systemOf("billing")]: { done_at: expect.any(String) },
      },
    });
    const statuses = async () =>
      (await pipeline.callsFor(id)).map(({ system, status }) => `${system} ${status}`);
    expect((await statuses()).filter((call) => call === "crm 500")).toHaveLength(5);

    await pipeline.recover();
    await pipeline.ended(await pipeline.resume());
    expect(await pipeline.runsOf(id, "user-deletion-cleanup")).toHaveLength(1);
    await pipeline.database.db.execute(
      sql`update aftercommit.deletions set updated_at = now() - interval '61 minutes' where row_id = ${id}`,
    );
    expect((await pipeline.ended(await pipeline.resume())).output).toEqual({ triggered: 1 });
    const deletion = await until(
      async () => {
        const row = await pipeline.database.deletionOf(id);
        return row.completed_at ? row : undefined;
      },
      { what: "resumed deletion", progress: pipeline.progress },
    );
    expect(deletion.last_error).toBeNull();
    expect(deletion.run_id).not.toBe(run);
    expect((await statuses()).filter((call) => call.endsWith("204")).sort()).toEqual([
      "billing 204",
      "crm 204",
    ]);
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
  });

  it("has each failing system tried five times when several fail", async () => {
    await pipeline.fail({ name: "crm", status: 500 });
    await pipeline.fail({ name: "billing", status: 500 });
    const { id, run } = await pipeline.deleteUser();
    expect((await pipeline.ended(run)).error?.message).toBe(
      `Not clean: ${pipeline.systemOf("crm")} (answered 500), ${pipeline.systemOf("billing")} (answered 500)`,
    );
    const calls = (await pipeline.callsFor(id)).map(({ system }) => system).sort();
    expect(calls).toEqual([...Array(5).fill("billing"), ...Array(5).fill("crm")]);
  });

  it("without an e-mail address is cleaned up, and the run says that no confirmation could be sent", async () => {
    const { id, run } = await pipeline.deleteUser({ email: null });
    const { status, output } = await pipeline.ended(run);
    expect(status).toBe("COMPLETED");
    expect(output).toMatchObject({ confirmation: "no-address" });
    expect(await pipeline.callsFor(id)).toHaveLength(2);
    expect(await pipeline.runsOf(id, "send-deletion-confirmation")).toEqual([]);
  });

  it("gets the e-mail when the mail server was down for a while", async () => {
    await pipeline.stopMail();
    const { id, email, run } = await pipeline.deleteUser();
    await until(async () => (await pipeline.runsOf(id, "send-deletion-confirmation"))[0]?.attemptCount, {
      everyMs: 100,
      what: "a try to send",
      progress: pipeline.progress,
    });
    await pipeline.startMailAgain();
    expect((await pipeline.ended(run)).output).toMatchObject({ confirmation: "sent" });
    expect(await pipeline.mailsTo(email ?? "")).toHaveLength(1);
    expect(await pipeline.callsFor(id)).toHaveLength(2);
  });
});

describeLosses(() => pipeline);
describeHolds(() => pipeline);
