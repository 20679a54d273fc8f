import { ApiError, concurrencyLimits, deployments, envvars, queues } from "@trigger.dev/sdk";
import type { Declaration } from "../declare/declaration.ts";
import { deletionsOf } from "../declare/declarations.ts";
import { deletionTaskIds, embeddingTaskIds } from "../declare/names.ts";
import { STEP_TASKS } from "../deletions/step-runs.ts";
import { optional, required } from "../env/env.ts";
import { neededByTasks } from "../needed-variables.ts";
import { SYSTEM_NAMES, systemNames } from "../task-variables.ts";
import { type Category, failed, last, ok, okUnless, skipped, warning } from "./finding.ts";
import { placeOf } from "./shown.ts";

const NO_RETRY = { retry: { maxAttempts: 1 } };
const DEPLOY = "npx trigger.dev deploy --env-file .env.production";
const SEND = `${DEPLOY} sends them if trigger.config.ts has syncEnvVars (docs/install.md); otherwise set them in Trigger.dev's dashboard`;
const DEVELOP = "npx trigger.dev dev, or npm run dev in Aftercommit's repository";
const UPDATE = "Update the Trigger.dev server to 4.7 or newer";
const OLD = "older than 4.7, it ignores concurrency limits, so edits wait behind a backfill";
const KEY = "Set TRIGGER_SECRET_KEY to a key of Trigger.dev's dashboard → your project → API keys";
const PROJECT = "Set TRIGGER_SECRET_KEY and TRIGGER_PROJECT_REF of the same project: Trigger.dev's dashboard";

const triggerUrl = () => optional("TRIGGER_API_URL") ?? "https://api.trigger.dev";
const isUnauthorized = (status: number) => status === 401 || status === 403;

/** Trigger.dev's response, or the status of its error. */
async function answerOf<T>(answer: PromiseLike<T>): Promise<T | number> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status !== undefined) return error.status;
    throw error;
  }
}

/** The environment of TRIGGER_SECRET_KEY, as in Trigger.dev's URLs: tr_stg_… is `staging`. */
const environmentOfKey = () =>
  /^tr_([a-z]+)_/.exec(required("TRIGGER_SECRET_KEY"))?.[1]?.replace(/^stg$/, "staging") ?? "unknown";

function taskIds(declaration: Declaration): string[] {
  if (declaration.kind === "embedding") return Object.values(embeddingTaskIds(declaration));
  if (declaration.kind === "trigger") return [declaration.task];
  return [...Object.values(deletionTaskIds(declaration)), ...Object.values(STEP_TASKS)];
}

async function readQueues() {
  const all = [];
  for await (const queue of queues.list({ perPage: 100 }, NO_RETRY)) all.push(queue);
  return all;
}

const resume = (id: string) =>
  `curl -fsS "${triggerUrl()}/api/v1/queues/${id}/pause" -H "authorization: Bearer $TRIGGER_SECRET_KEY" -H "content-type: application/json" -d '{"type":"id","action":"resume"}'`;

/** Whether Trigger.dev accepts the key, has the declarations' tasks, and runs them with what they need. */
export const triggerDev: Category = async function* ({ check, declarations }) {
  let all: Awaited<ReturnType<typeof readQueues>> = [];
  yield check("trigger.key", "Start Trigger.dev, or correct TRIGGER_API_URL", async () => {
    const actual = `${placeOf(triggerUrl())}, environment ${environmentOfKey()}`;
    const found = await answerOf(readQueues());
    if (typeof found === "number")
      return last(failed(`Trigger.dev answers ${found}`, isUnauthorized(found) ? KEY : undefined));
    all = found;
    // Older servers do not have this route, and silently ignore the tasks' limits.
    const isOld = (await answerOf(concurrencyLimits.list({ perPage: 1 }, NO_RETRY))) === 404;
    return isOld ? warning(`${actual}: ${OLD}`, UPDATE) : ok(actual);
  });
  const environment = environmentOfKey();
  const isDevelopment = environment === "dev";

  const deploy = `${DEPLOY}, or set TRIGGER_SECRET_KEY to the key of the environment that has the tasks`;
  yield check("trigger.tasks", isDevelopment ? DEVELOP : deploy, async () => {
    const wantedIds = [...new Set(declarations.flatMap(taskIds))];
    const missing = wantedIds.filter((id) => !all.some(({ name }) => name === id));
    if (missing.length > 0) return failed(`never registered: ${missing.join(", ")}`);
    if (isDevelopment) return ok("all are registered");
    const current = await answerOf(deployments.retrieveCurrent(NO_RETRY));
    if (current === 404) return failed("nothing is deployed");
    if (typeof current === "number") return skipped(`Trigger.dev does not show deployments: ${current}`);
    const { version, status, externalId } = current;
    const wanted = process.env.TRIGGER_EXTERNAL_DEPLOYMENT_ID?.trim();
    if (status !== "DEPLOYED") return failed(`${version} is ${status}`);
    if (!wanted || wanted === externalId) return ok(version);
    return failed(`${version} is not ${wanted}, which the app asks for`, `${DEPLOY} --external-id ${wanted}`);
  });

  yield check("trigger.queues", "Resume it in Trigger.dev's dashboard → Queues", async () => {
    const paused = all.filter((queue) => queue.paused);
    const actual = paused.map(({ name, queued }) => `${name} is paused, ${queued} queued`);
    return okUnless(actual, "none is paused", resume(paused[0]?.id ?? ""));
  });

  yield check("trigger.variables", SEND, async () => {
    const ref = required("TRIGGER_PROJECT_REF");
    const found = await answerOf(envvars.list(ref, environment, NO_RETRY));
    if (found === 404) return failed(`${ref} is not the project of TRIGGER_SECRET_KEY`, PROJECT);
    if (typeof found === "number") return skipped(`Trigger.dev does not show the variables: ${found}`);
    if (isDevelopment) return ok("in development the tasks have the variables of this machine");
    const values = new Map(found.map(({ name, value }) => [name, value]));
    const needed = neededByTasks(declarations, process.env);
    const missing = needed.filter((name) => !values.has(name));
    if (missing.length > 0) return failed(`not set: ${missing.join(", ")}`);
    if (deletionsOf(declarations).length === 0) return ok(`${values.size} set`);
    const [here, there] = [systemNames(required("USER_DELETION_WEBHOOK_URLS")), values.get(SYSTEM_NAMES)];
    if (here === there) return ok(`${values.size} set; external systems: ${here}`);
    return failed(`the app's external systems are ${here}, the tasks' ${there ?? "unknown"}`);
  });
};
