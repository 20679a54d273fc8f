import { context, metrics, propagation, trace } from "@opentelemetry/api";
import {
  lifecycleHooks,
  resourceCatalog,
  TaskRunContext,
  TaskRunExecution,
  taskContext,
} from "@trigger.dev/core/v3";
import { TriggerTracer } from "@trigger.dev/core/v3/tracer";
import { parsePacket } from "@trigger.dev/core/v3/utils/ioSerialization";
import {
  ConsoleInterceptor,
  StandardLifecycleHooksManager,
  StandardResourceCatalog,
  TaskExecutor,
  TracingSDK,
} from "@trigger.dev/core/v3/workers";
import config from "../../trigger.config.ts";

/** Loads task modules like the CLI's worker, so that their tasks can be executed. */
export async function loadTasks(load: () => Promise<unknown>): Promise<void> {
  resourceCatalog.setGlobalResourceCatalog(new StandardResourceCatalog());
  lifecycleHooks.setGlobalLifecycleHooksManager(new StandardLifecycleHooksManager());
  resourceCatalog.setCurrentFileContext("trigger/tasks.ts", "tasks");
  await load();
  resourceCatalog.clearCurrentFileContext();
}

export function taskOf(id: string) {
  const task = resourceCatalog.getTask(id);
  if (!task) throw new Error(`There is no task ${id}`);
  return task;
}

const named = (id: string) => ({ id, slug: id, name: id });

/** Executes one attempt of a loaded task with the executor of the CLI's worker, and returns its result. */
export async function executeTask(id: string, payload: unknown, attempt = 1) {
  const task = taskOf(id);
  const at = new Date("2026-01-02T03:04:05.000Z");
  const execution = TaskRunExecution.parse({
    attempt: {
      id: "attempt",
      number: attempt,
      startedAt: at,
      backgroundWorkerId: "w",
      backgroundWorkerTaskId: "t",
      status: "EXECUTING",
    },
    run: {
      id: `run_${attempt}`,
      payload: JSON.stringify(payload),
      payloadType: "application/json",
      createdAt: at,
      startedAt: at,
      tags: [],
      isTest: false,
      durationMs: 0,
      costInCents: 0,
      baseCostInCents: 0,
      traceContext: {},
    },
    task: { id, filePath: "trigger/tasks.ts" },
    queue: { id: "queue", name: `task/${id}` },
    environment: { ...named("env"), type: "PRODUCTION" },
    organization: named("org"),
    project: { ...named("project"), ref: "proj" },
    machine: { name: "small-1x", cpu: 0.5, memory: 0.5, centsPerMs: 0 },
  });
  // Nothing listens there, so spans are dropped.
  const tracingSDK = new TracingSDK({ url: "http://127.0.0.1:1", diagLogLevel: "none" });
  const executor = new TaskExecutor(task, {
    tracingSDK,
    tracer: new TriggerTracer({ name: "tests", version: "1" }),
    consoleInterceptor: new ConsoleInterceptor(tracingSDK.getLogger("tests"), true, true),
    retries: config.retries,
  });
  const ctx = TaskRunContext.parse(execution);
  taskContext.disable();
  taskContext.setGlobalTaskContext({
    ctx,
    worker: { id: "w", version: "1", contentHash: "h", engine: "V2" },
  });
  try {
    return (await executor.execute(execution, ctx, new AbortController().signal)).result;
  } finally {
    taskContext.disable();
    // The SDK registered itself globally, also for the files that come afterwards.
    for (const api of [trace, context, propagation, metrics]) api.disable();
  }
}

/** The output of an executed task; rejects if it failed. */
export async function outputOf(result: Awaited<ReturnType<typeof executeTask>>): Promise<unknown> {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return parsePacket({ data: result.output, dataType: result.outputType });
}
