import type { RetrieveRunResponse, TaskResource, TaskRunExecutionResult } from "@trigger.dev/core/v3";
import {
  CreateBackgroundWorkerResponse,
  DevDequeueResponseBody,
  RetrieveRunResponse as Retrieve,
} from "@trigger.dev/core/v3";
import {
  WorkloadRunAttemptCompleteResponseBody,
  WorkloadRunAttemptStartResponseBody,
  WorkloadRunLatestSnapshotResponseBody,
} from "@trigger.dev/core/v3/workers";
import type { z } from "zod";
import { SECRET_KEY } from "./serve.ts";

type Task = Partial<z.input<typeof TaskResource>> & { id: string };
type Completion = Partial<z.input<typeof TaskRunExecutionResult>>;

/** A run as the process that executes it sees it: the ids that its next request must name. */
export interface Held {
  run: string;
  snapshot: string;
}

/** The server has answered with a status other than 200. */
export class RefusedError extends Error {}

export const builtInError = { type: "BUILT_IN_ERROR", name: "Error", message: "no", stackTrace: "" } as const;

/** Speaks to the server like the SDK, the CLI and its processes, one request at a time. */
export class Worker {
  readonly #url: string;
  #newestKnown = "worker_unknown";

  constructor(url: string) {
    this.#url = url;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ) {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal,
      headers: { authorization: `Bearer ${SECRET_KEY}`, "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json: unknown = text === "" ? undefined : JSON.parse(text);
    return { status: response.status, json, headers: response.headers };
  }

  async register(tasks: Task[], extra: Record<string, unknown> = {}) {
    const metadata = {
      packageVersion: "4.8.3",
      contentHash: JSON.stringify([tasks, extra]),
      tasks: tasks.map((task) => ({ filePath: "trigger/tasks.ts", ...task })),
      ...extra,
    };
    const { json } = await this.call("POST", "/api/v1/projects/proj_test/background-workers", {
      localOnly: true,
      metadata,
    });
    const worker = CreateBackgroundWorkerResponse.parse(json);
    this.#newestKnown = worker.id;
    return worker;
  }

  async trigger(task: string, options: Record<string, unknown> = {}, payload: unknown = {}) {
    const answer = await this.call("POST", `/api/v1/tasks/${encodeURIComponent(task)}/trigger`, {
      payload,
      options,
    });
    const { id, isCached } = Object(answer.json);
    return { ...answer, id: String(id), isCached: Boolean(isCached) };
  }

  /**
   * The next run, or undefined if the server has none. Without one, this waits for ten seconds of the server's clock.
   */
  async dequeue(signal?: AbortSignal): Promise<Held | undefined> {
    const body = { currentWorker: this.#newestKnown, oldWorkers: [] };
    const { json } = await this.call("POST", "/engine/v1/dev/dequeue", body, {}, signal);
    const message = DevDequeueResponseBody.parse(json).dequeuedMessages[0];
    return message && { run: message.run.friendlyId, snapshot: message.snapshot.friendlyId };
  }

  /** {@link dequeue} if there must be a run. */
  async take(): Promise<Held> {
    const held = await this.dequeue();
    if (!held) throw new Error("no run to take");
    return held;
  }

  async start({ run, snapshot }: Held) {
    const { status, json } = await this.call(
      "POST",
      `/engine/v1/dev/runs/${run}/snapshots/${snapshot}/attempts/start`,
      {},
    );
    if (status !== 200) throw new RefusedError(`attempts/start answered ${status}`);
    const started = WorkloadRunAttemptStartResponseBody.parse(json);
    return {
      run,
      snapshot: started.snapshot.friendlyId,
      execution: started.execution,
      envVars: started.envVars,
    };
  }

  async complete({ run, snapshot }: Held, completion: Completion) {
    const body = { completion: { id: run, outputType: "application/json", ...completion } };
    const { status, json } = await this.call(
      "POST",
      `/engine/v1/dev/runs/${run}/snapshots/${snapshot}/attempts/complete`,
      body,
    );
    if (status !== 200) throw new RefusedError(`attempts/complete answered ${status}`);
    const { result } = WorkloadRunAttemptCompleteResponseBody.parse(json);
    return { run, snapshot: result.snapshot.friendlyId, attemptStatus: result.attemptStatus };
  }

  succeed(held: Held, output: unknown = null) {
    return this.complete(held, { ok: true, output: JSON.stringify(output) });
  }

  fail(held: Held, retry?: { delay: number; timestamp: number }) {
    return this.complete(held, { ok: false, error: builtInError, retry });
  }

  async latest(run: string) {
    const { json } = await this.call("GET", `/engine/v1/dev/runs/${run}/snapshots/latest`);
    return WorkloadRunLatestSnapshotResponseBody.parse(json).execution;
  }

  async retrieve(run: string): Promise<z.output<typeof RetrieveRunResponse>> {
    return Retrieve.parse((await this.call("GET", `/api/v3/runs/${run}`)).json);
  }

  /** Dequeues the next run and runs it to its end. */
  async runNext(output: unknown = null): Promise<string> {
    const held = await this.start(await this.take());
    await this.succeed(held, output);
    return held.run;
  }
}
