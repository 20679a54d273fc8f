import { checkEnvironment } from "../env/env.ts";
import { NAMES, type VariableName, variables } from "../env/variables.ts";
import { neededByApp, neededByTasks } from "../needed-variables.ts";
import { type Category, ok, warning } from "./finding.ts";

const SHORT_SECRET = /^\s*\S.{0,14}\s*$/;

export const environment: Category = async function* ({ check, declarations }) {
  yield check("environment.variables", ".env.example says where to get each", async () => {
    const needed = [
      ...new Set<string>([...neededByApp(declarations), ...neededByTasks(declarations, process.env)]),
    ];
    checkEnvironment(
      needed,
      NAMES.filter((name) => !needed.includes(name)),
    );
    const isShort = (name: VariableName) =>
      variables[name].isChosen && SHORT_SECRET.test(process.env[name] ?? "");
    const short = NAMES.filter(isShort).join(", ");
    return short ? warning(`short: ${short}`, `Set ${short} to: openssl rand -base64 32`) : ok("all are set");
  });
};
