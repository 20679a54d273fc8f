import { readdir } from "node:fs/promises";
import { ApiError, queues, runs } from "@trigger.dev/sdk";
import { optional, required } from "../env.ts";
import { askTrigger } from "../runs/ask-trigger.ts";
import { triggerProblem } from "../status/problem-of.ts";
import { type Check, good, once, problem } from "./check.ts";
import { placeOf } from "./on-this-machine.ts";

const NO_RETRY = { retry: { maxAttempts: 1 } };
const CLOUD = "https://api.trigger.dev";

// The Free plan's, the least of all (https://trigger.dev/docs/limits): a full queue refuses triggers.
const MOST_QUEUED = { development: 500, deployed: 10_000 };
const NEARLY = 0.8;

const triggerUrl = () => optional("TRIGGER_API_URL") ?? CLOUD;
export const isDevelopment = () => /^tr_dev_/.test(required("TRIGGER_SECRET_KEY"));

/** What brings this code's tasks to Trigger.dev. */
export const deployCommand = () =>
  isDevelopment() ? "npm run dev" : "npx trigger.dev deploy --env-file .env.production";

async function readQueues() {
  const all = [];
  for await (const queue of queues.list({ perPage: 100 }, NO_RETRY)) all.push(queue);
  return all;
}

/** A file of trigger/ is named as its task. */
async function taskIds(): Promise<string[]> {
  const files = await readdir("trigger");
  return files.filter((name) => name.endsWith(".ts")).map((name) => name.slice(0, -".ts".length));
}

const resume = (id: string) =>
  `curl -fsS "${triggerUrl()}/api/v1/queues/${id}/pause" -H "authorization: Bearer $TRIGGER_SECRET_KEY" -H "content-type: application/json" -d '{"type":"id","action":"resume"}'`;

/** Whether Trigger.dev takes the key, has this code's tasks, and runs them. */
export function triggerDev(): Check[] {
  const found = once(readQueues);
  return [
    {
      id: "trigger.key",
      description: "Trigger.dev answers and takes TRIGGER_SECRET_KEY",
      hint: "Correct TRIGGER_API_URL, or start the server that it names",
      fatal: true,
      async run() {
        required("TRIGGER_SECRET_KEY");
        try {
          await askTrigger();
          return good(
            `${placeOf(triggerUrl())}, ${isDevelopment() ? "development" : "deployed"} environment`,
          );
        } catch (error) {
          const isRefused = error instanceof ApiError && (error.status === 401 || error.status === 403);
          const mend = "Set TRIGGER_SECRET_KEY to a key of Trigger.dev's dashboard → your project → API keys";
          return problem(triggerProblem(error), isRefused ? mend : undefined);
        }
      },
    },
    {
      id: "trigger.tasks",
      description: "Trigger.dev has every task of this code",
      hint: "Deploy the tasks, and in development start `npm run dev`",
      needs: ["trigger.key"],
      async run() {
        const [wanted, there] = await Promise.all([taskIds(), found()]);
        const known = new Set(there.map(({ name }) => name));
        const missing = wanted.filter((id) => !known.has(id));
        if (missing.length === 0) return good(`${wanted.length} tasks`);
        return problem(`never registered: ${missing.join(", ")}`, deployCommand());
      },
    },
    {
      id: "trigger.waiting",
      description: "no run waits for a version of the tasks that is not deployed",
      hint: "Deploy the tasks of the version that triggered it",
      needs: ["trigger.key"],
      async run() {
        const { data } = await runs.list({ status: ["PENDING_VERSION"], limit: 10 }, NO_RETRY);
        const [run] = data;
        if (!run) return good("none in PENDING_VERSION");
        const many = data.length === 10 ? "10 or more" : `${data.length}`;
        return problem(
          `${many} in PENDING_VERSION, such as ${run.id} of ${run.taskIdentifier}`,
          deployCommand(),
        );
      },
    },
    {
      id: "trigger.paused",
      description: "no queue is paused",
      hint: "Resume it in Trigger.dev's dashboard → Queues",
      needs: ["trigger.key"],
      async run() {
        const paused = (await found()).filter((queue) => queue.paused);
        const [first] = paused;
        if (!first) return good(`${(await found()).length} queues`);
        return problem(
          paused.map(({ name, queued }) => `${name}, ${queued} queued`).join("; "),
          resume(first.id),
        );
      },
    },
    {
      id: "trigger.queues",
      description: "no queue is nearly full: Trigger.dev then refuses runs, and Sequin waits",
      hint: "Let a backfill come to its end, or raise the limit: https://trigger.dev/docs/limits",
      warning: true,
      needs: ["trigger.key"],
      async run() {
        const most = isDevelopment() ? MOST_QUEUED.development : MOST_QUEUED.deployed;
        const fullest = (await found()).toSorted((a, b) => b.queued - a.queued)[0];
        if (!fullest) return good("there are none");
        const seen = `${fullest.name} has ${fullest.queued} runs, the least limit of all plans is ${most}`;
        return fullest.queued > most * NEARLY ? problem(seen) : good(seen);
      },
    },
  ];
}
