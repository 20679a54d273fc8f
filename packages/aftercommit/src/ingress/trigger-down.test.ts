import { runs } from "@trigger.dev/sdk";
import { describe, expect, it, vi } from "vitest";
import { deliver, newChange } from "@/tests/helpers/deliver.ts";
import { embeddingRouteForTests } from "@/tests/helpers/embedding-route.ts";
import {
  answerWith,
  type Fault,
  hang,
  loseAnswerOf,
  startFaultyServer,
} from "@/tests/helpers/faulty-server.ts";
import { until } from "@/tests/helpers/until.ts";

const { inbox, eventsOf, triggerUrl, runsByTask } = embeddingRouteForTests("down");
const html = { "content-type": "text/html" };

/** Runs `work` while a faulty server, or none, answers for Trigger.dev. */
async function whileDown<T>(
  fault: Fault | "refused",
  work: (requests: () => number) => Promise<T>,
): Promise<T> {
  const server = await startFaultyServer(fault === "refused" ? hang : fault);
  vi.stubEnv("TRIGGER_API_URL", server.url);
  try {
    if (fault === "refused") await server.close();
    return await work(() => server.state.requests);
  } finally {
    if (fault !== "refused") await server.close();
    vi.stubEnv("TRIGGER_API_URL", triggerUrl());
  }
}

const change = (id = 7) => newChange("02_posts_update", { record_pks: [String(id)] });

describe("a delivery is acknowledged, and its rows wait in the inbox, while Trigger.dev", () => {
  it.each<[string, Fault | "refused"]>([
    ["refuses connections", "refused"],
    ["breaks connections", (_, response) => void response.destroy()],
    ["answers 500", answerWith(500, '{"error":"Something went wrong"}')],
    ["answers 503 from a proxy", answerWith(503, "<html>upstream</html>", html)],
    ["answers 422", answerWith(422, '{"error":"no"}')],
    ["answers 429", answerWith(429, '{"error":"Rate limit exceeded"}')],
    ["answers 200 without a run", answerWith(200, '{"ok":true}')],
    ["answers 200 that is no JSON", answerWith(200, "<html>", html)],
  ])("%s", async (_, fault) => {
    const { status, body } = await whileDown(fault, () => deliver(change()));
    expect({ status, body }).toEqual({ status: 200, body: { pending: 1 } });
    expect((await inbox()).map(({ id, queue }) => [id, queue])).toEqual([["7", "realtime"]]);
  });

  // By the real clock: what other tests have left to retry would meet its deadline by a false one.
  it("hangs: after ten seconds, before Sequin retries", { timeout: 120_000 }, async () => {
    const startedAt = performance.now();
    const answer = await whileDown(hang, async (requests) => {
      const data = Array.from({ length: 10 }, (_, n) => change(n + 1));
      const delivery = deliver({ data });
      await until(() => requests() >= 10, { what: "ten calls in progress" });
      const { status, body } = await delivery;
      return { status, body };
    });
    expect(answer).toEqual({ status: 200, body: { triggered: 0, pending: 10, ignored: 0, runs: [] } });
    expect(performance.now() - startedAt).toBeGreaterThan(9_000);
    expect(await inbox()).toHaveLength(10);
    await until(() => eventsOf().includes("drain.woken"), { what: "drain that is woken" });
  });

  it("accepts part of a batch", async () => {
    let calls = 0;
    const answer = await whileDown(
      (request, response) => {
        calls += 1;
        const ok = answerWith(200, '{"id":"run_taken","isCached":false}');
        return (calls === 1 ? ok : answerWith(400, '{"error":"no"}'))(request, response);
      },
      () => deliver({ data: [change(1), change(2), change(3)] }),
    );
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ triggered: 1, pending: 2, ignored: 0, runs: ["run_taken"] });
    expect(await inbox()).toHaveLength(3);
  });
});

it("the drain is woken as soon as Trigger.dev answers again, by the process that could not wake it", async () => {
  await whileDown("refused", () => deliver(change()));
  await until(async () => (await runsByTask())["create-embeddings-for-posts"], {
    what: "drain that is woken",
  });
});

it("a run whose response is lost is not triggered twice, and the row is in the inbox", async () => {
  await whileDown(loseAnswerOf(triggerUrl()), () => deliver(change(8)));
  expect((await runs.list({ tag: "post:8" })).data).toHaveLength(1);
  expect((await inbox()).map(({ id }) => id)).toEqual(["8"]);
});

it.each([401, 403])(
  "a Trigger.dev that answers %i is an error, or nobody would notice: 500",
  async (status) => {
    const refuse = answerWith(status, '{"error":"Invalid API key"}');
    const answer = await whileDown(refuse, () => deliver(change()));
    expect(answer).toMatchObject({ status: 500, body: { error: "Internal error" } });
    expect(eventsOf()).toContain("ingress.failed");
    expect(await inbox()).toHaveLength(1);
  },
);
