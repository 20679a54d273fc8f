import { tasks, wait } from "@trigger.dev/sdk";
import { describe, expect, test } from "vitest";
import type { oneAtATime, waitsFor, waitsForToken, waitsUntilPast } from "../project/trigger/times.ts";
import { ended, reaches } from "./context.ts";

export function waitTests() {
  describe.concurrent("a wait", () => {
    test("of more than five seconds lasts as long as it says", async () => {
      const { id } = await tasks.trigger<typeof waitsFor>("waits-for", { seconds: 6 });
      const { output } = await ended(id);
      expect(output?.ms).toBeGreaterThanOrEqual(5_900);
    });

    test("until a past time is over immediately", async () => {
      const { id } = await tasks.trigger<typeof waitsUntilPast>("waits-until-past", undefined);
      expect((await ended(id)).output?.ms).toBeLessThan(60_000);
    });

    test("for a token ends with what the token is completed with, whoever comes first", async () => {
      const token = await wait.createToken({ timeout: "10m" });
      const { id } = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
      await reaches(id, "EXECUTING");
      await wait.completeToken(token, { answer: 42 });
      await wait.completeToken(token, { answer: 43 });
      expect((await ended(id)).output).toEqual({ output: { answer: 42 } });

      const late = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
      expect((await ended(late.id)).output).toEqual({ output: { answer: 42 } });
    });

    test("for a token ends with an error at the token's timeout", async () => {
      const token = await wait.createToken({ timeout: "2s" });
      const { id } = await tasks.trigger<typeof waitsForToken>("waits-for-token", { token: token.id });
      expect(Object((await ended(id)).output).error).toContain("timed out");
    });

    test("keeps its place in a queue of one", async () => {
      const options = { queue: "task/one-at-a-time", concurrencyKey: "wait" };
      const { id } = await tasks.trigger<typeof waitsFor>("waits-for", { seconds: 6 }, options);
      const next = await tasks.trigger<typeof oneAtATime>(
        "one-at-a-time",
        { name: "next" },
        { concurrencyKey: "wait" },
      );
      const first = await ended(id);
      const second = await ended(next.id);
      expect(Number(second.startedAt)).toBeGreaterThanOrEqual(Number(first.finishedAt) - 50);
    });
  });
}
