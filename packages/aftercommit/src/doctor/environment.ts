import { neededByApp } from "../app-variables.ts";
import { checkEnvironment, variables } from "../env/env.ts";
import { neededByTasks } from "../task-variables.ts";
import { type Category, ok, warning } from "./finding.ts";

const SHORT_SECRET = /^\s*\S.{0,14}\s*$/;
const SECRETS = ["SEQUIN_WEBHOOK_SECRET", "SEQUIN_WEBHOOK_SECRET_PREVIOUS", "DASHBOARD_PASSWORD"] as const;

/** The variables of the app and of the tasks. */
export const environment: Category = async function* ({ check, declarations }) {
  yield check("environment.variables", ".env.example says where to get each", async () => {
    const needed = [
      ...new Set<string>([...neededByApp(declarations), ...neededByTasks(declarations, process.env)]),
    ];
    checkEnvironment(needed, { used: Object.keys(variables).filter((name) => !needed.includes(name)) });
    const short = SECRETS.filter((name) => SHORT_SECRET.test(process.env[name] ?? "")).join(", ");
    return short ? warning(`short: ${short}`, `Set ${short} to: openssl rand -base64 32`) : ok("all are set");
  });
};
