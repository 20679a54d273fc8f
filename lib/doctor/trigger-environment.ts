import { ApiError, deployments, envvars } from "@trigger.dev/sdk";
import { required } from "../env.ts";
import { neededByTasks, SYSTEM_NAMES, systemNames } from "../task-variables.ts";
import { type Check, good, notNeeded, once, problem, type Verdict } from "./check.ts";
import { deployCommand, isDevelopment } from "./trigger.ts";

const NO_RETRY = { retry: { maxAttempts: 1 } };
const SLUGS: Readonly<Record<string, string>> = {
  dev: "dev",
  prod: "prod",
  stg: "staging",
  preview: "preview",
};
const IN_DEVELOPMENT = "in development the tasks have the variables of this machine";

const statusOf = (error: unknown) => (error instanceof ApiError ? error.status : undefined);

async function readVariables() {
  const [, kind = ""] = /^tr_([a-z]+)_/.exec(required("TRIGGER_SECRET_KEY")) ?? [];
  return envvars.list(required("TRIGGER_PROJECT_REF"), SLUGS[kind] ?? kind, NO_RETRY);
}

function compare(here: string, there: string): Verdict {
  const seen = `the app knows ${here}, the tasks know ${there}`;
  return here === there ? good(here) : problem(seen, deployCommand());
}

/** Whether the tasks have where Trigger.dev runs them what the app expects of them. */
export function triggerEnvironment(): Check[] {
  const variables = once(readVariables);
  return [
    {
      id: "trigger.project",
      description: "TRIGGER_PROJECT_REF is the project of TRIGGER_SECRET_KEY",
      hint: "Set TRIGGER_PROJECT_REF to what Trigger.dev's dashboard → Project settings shows",
      fatal: true,
      needs: ["trigger.key"],
      async run() {
        try {
          const { length } = await variables();
          return good(`${required("TRIGGER_PROJECT_REF")}, ${length} variables there`);
        } catch (error) {
          const status = statusOf(error);
          if (status === 401 || status === 403)
            return notNeeded("this key may not read the project's variables");
          if (status === 404) return problem("Trigger.dev knows no such project for this key");
          throw error;
        }
      },
    },
    {
      id: "trigger.variables",
      description: "the tasks have every variable that they need where Trigger.dev runs them",
      hint: "A deployment takes them along: npx trigger.dev deploy --env-file .env.production",
      needs: ["trigger.project"],
      async run() {
        if (isDevelopment()) return notNeeded(IN_DEVELOPMENT);
        const there = new Set((await variables()).map(({ name }) => name));
        const missing = neededByTasks(process.env).filter((name) => !there.has(name));
        return missing.length === 0 ? good(`${there.size} set`) : problem(`not set: ${missing.join(", ")}`);
      },
    },
    {
      id: "trigger.external-systems",
      description: "app and tasks know the same external systems, by name",
      hint: "Deploy both from one environment: what only one of them knows keeps deletions open",
      needs: ["trigger.project"],
      async run() {
        if (isDevelopment()) return notNeeded(IN_DEVELOPMENT);
        const there = (await variables()).find(({ name }) => name === SYSTEM_NAMES);
        if (!there) return problem("the tasks do not say which they know", deployCommand());
        return compare(systemNames(required("USER_DELETION_WEBHOOK_URLS")), there.value);
      },
    },
    {
      id: "trigger.deployment",
      description: "a version of the tasks is deployed, the one that this app asks for",
      hint: "npx trigger.dev deploy --env-file .env.production",
      needs: ["trigger.key"],
      async run() {
        if (isDevelopment()) return notNeeded("in development `npm run dev` runs the tasks as they are");
        const wanted = process.env.TRIGGER_EXTERNAL_DEPLOYMENT_ID?.trim();
        try {
          const { version, status, externalId } = await deployments.retrieveCurrent(NO_RETRY);
          const seen = `${version}, ${status}${externalId ? `, external id ${externalId}` : ""}`;
          if (status !== "DEPLOYED") return problem(seen);
          if (!wanted || wanted === externalId) return good(seen);
          return problem(
            `${seen}; the app asks for ${wanted}`,
            `npx trigger.dev deploy --env-file .env.production --external-id ${wanted}`,
          );
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
          return problem("nothing is deployed");
        }
      },
    },
  ];
}
