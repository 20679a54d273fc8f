import { runs } from "@trigger.dev/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { answerWith, type Fault, hang, loseAnswerOf, startFaultyServer } from "../faulty-server.ts";
import { startTriggerServer } from "../trigger-server.ts";
import { until } from "../until.ts";
import { deliver, newChange, secret } from "./deliver.ts";

const refused = {
  error: "Trigger.dev did not accept the run; deliver again",
  triggered: 0,
  ignored: 0,
  runs: [],
};

let trigger: Awaited<ReturnType<typeof startTriggerServer>>;
let logged: string[];

beforeAll(async () => {
  trigger = await startTriggerServer("tr_dev_down");
});
afterAll(() => trigger.close());

beforeEach(() => {
  vi.stubEnv("SEQUIN_WEBHOOK_SECRET", secret);
  vi.stubEnv("TRIGGER_SECRET_KEY", "tr_dev_down");
  logged = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** Does some work while a faulty server, or none, answers for Trigger.dev. */
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
    vi.stubEnv("TRIGGER_API_URL", trigger.url);
  }
}

describe("Trigger.dev", () => {
  it.each<[string, Fault | "refused"]>([
    ["refuses connections", "refused"],
    ["breaks connections", (_, response) => void response.destroy()],
    ["answers 500", answerWith(500, '{"error":"Something went wrong"}')],
    ["answers 503 from a proxy", answerWith(503, "<html>upstream</html>", { "content-type": "text/html" })],
    ["answers 401", answerWith(401, '{"error":"Invalid API key"}')],
    ["answers 422", answerWith(422, '{"error":"no"}')],
    ["answers 429", answerWith(429, '{"error":"Rate limit exceeded"}')],
    ["answers 200 without a run", answerWith(200, '{"ok":true}')],
    ["answers 200 that is no JSON", answerWith(200, "<html>")],
  ])("%s: 503 after three tries at most, and the redelivery triggers one run", async (_, fault) => {
    const message = newChange("02_posts_update", { record_pks: ["7"] });
    const { status, body, requests } = await whileDown(fault, async (requests) => {
      const answer = await deliver(message);
      return { ...answer, requests: requests() };
    });
    expect(requests).toBeLessThanOrEqual(3);
    expect({ status, body }).toEqual({ status: 503, body: refused });
    expect(logged.map((line) => JSON.parse(line).event)).toEqual(["message.unavailable"]);

    const before = (await runs.list({ limit: 100 })).data.length;
    const [first, second] = [await deliver(message), await deliver(message)];
    expect(first).toMatchObject({ status: 200, body: { id: expect.stringMatching(/^run_/) } });
    expect(second.body).toEqual(first.body);
    expect((await runs.list({ limit: 100 })).data.length).toBe(before + 1);
  });

  it("takes the run but its answer is lost: the redelivery finds that run", async () => {
    const message = newChange("02_posts_update", { record_pks: ["8"] });
    const { status } = await whileDown(loseAnswerOf(trigger.url), () => deliver(message));
    expect(status).toBe(503);
    const taken = (await runs.list({ tag: "post:8" })).data;
    expect(taken.map(({ status }) => status)).toHaveLength(1);
    expect((await deliver(message)).body).toEqual({ id: taken[0]?.id });
  });

  it("hangs: the whole batch is answered after 20 s, before Sequin calls again", async () => {
    const data = Array.from({ length: 10 }, () => newChange());
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const answer = await whileDown(hang, async (requests) => {
      const delivery = deliver({ data });
      await until(() => requests() === 10, { what: "ten calls under way" });
      vi.advanceTimersByTime(20_000);
      const { status, body } = await delivery;
      return { status, body, requests: requests() };
    });
    expect(answer).toEqual({ status: 503, body: refused, requests: 10 });
  });

  it("takes a part of a batch: 503 with the runs that it took, and the redelivery completes them", async () => {
    const data = [newChange(), newChange(), newChange()];
    let calls = 0;
    const answer = await whileDown(
      (request, response) => {
        calls += 1;
        const ok = answerWith(200, '{"id":"run_taken","isCached":false}');
        return (calls === 1 ? ok : answerWith(400, '{"error":"no"}'))(request, response);
      },
      () => deliver({ data }),
    );
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ ...refused, triggered: 1, runs: ["run_taken"] });
    expect(await deliver({ data })).toMatchObject({ status: 200, body: { triggered: 3 } });
  });
});

it("answers 503 where the key of Trigger.dev is not set, and says so in the log", async () => {
  vi.stubEnv("TRIGGER_API_URL", trigger.url);
  vi.stubEnv("TRIGGER_SECRET_KEY", "");
  expect(await deliver(newChange())).toMatchObject({ status: 503, body: refused });
  expect(logged.join()).toContain("TRIGGER_SECRET_KEY");
});
