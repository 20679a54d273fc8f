import { malformedVariables, optional, REQUIRED_BY_APP, type VariableName, variables } from "../env.ts";
import { neededByTasks } from "../task-variables.ts";
import { type Check, good, problem } from "./check.ts";
import { isOnThisMachine } from "./on-this-machine.ts";

const NODE = [20, 19] as const;
const SHORTEST_SECRET = 16;

const SERVICES = {
  Postgres: ["DATABASE_URL"],
  "Trigger.dev": ["TRIGGER_API_URL"],
  "the embedding provider": ["OPENAI_BASE_URL"],
  "the mail server": ["SMTP_URL"],
  "external systems": ["USER_DELETION_WEBHOOK_URLS"],
} as const satisfies Record<string, readonly VariableName[]>;

const isSet = (name: VariableName) => Boolean(process.env[name]?.trim());

/** What the app and the tasks cannot work without, here where both are looked after. */
const requiredNames = () => [...new Set<VariableName>([...REQUIRED_BY_APP, ...neededByTasks(process.env)])];

const node: Check = {
  id: "environment.node",
  description: `Node.js is ${NODE.join(".")} or newer`,
  hint: `Install Node.js ${NODE.join(".")} or newer from https://nodejs.org`,
  fatal: true,
  async run() {
    const { node: version } = process.versions;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    const isOld = major < NODE[0] || (major === NODE[0] && minor < NODE[1]);
    return isOld ? problem(version) : good(version);
  },
};

const variablesSet: Check = {
  id: "environment.variables",
  description: "every variable that the app and the tasks need is set",
  hint: "Set it in the environment or in .env.local; .env.example says where to get each",
  async run() {
    const names = requiredNames();
    const missing = names.filter((name) => !isSet(name));
    if (missing.length === 0) return good(`${names.length} variables`);
    return problem(
      `not set: ${missing.join(", ")}`,
      `Set ${missing.map((name) => `${name} (${variables[name].where})`).join("; ")}`,
    );
  },
};

const wellFormed: Check = {
  id: "environment.malformed",
  description: "no variable is malformed",
  hint: "Correct it in the environment or in .env.local; .env.example has the form of each",
  async run() {
    const malformed = malformedVariables();
    if (malformed.length === 0) return good("all have their form");
    const names = malformed.flatMap((error) => error.variables);
    return problem(malformed.map(({ message }) => message).join("; "), `Correct ${names.join(", ")}`);
  },
};

const secrets: Check = {
  id: "environment.secrets",
  description: `secrets are ${SHORTEST_SECRET} characters or longer`,
  hint: "openssl rand -base64 32",
  warning: true,
  async run() {
    const names = ["SEQUIN_WEBHOOK_SECRET", "SEQUIN_WEBHOOK_SECRET_PREVIOUS", "DASHBOARD_PASSWORD"] as const;
    const short = names.filter((name) => isSet(name) && (optional(name)?.length ?? 0) < SHORTEST_SECRET);
    if (short.length === 0) return good("none is shorter");
    return problem(`shorter: ${short.join(", ")}`, `Set ${short.join(", ")} to: openssl rand -base64 32`);
  },
};

const places: Check = {
  id: "environment.stand-ins",
  description: "which services are on this machine is known",
  hint: "`npm run dev` starts a stand-in for each service whose variable is not set",
  async run() {
    const local = Object.entries(SERVICES).flatMap(([service, names]) =>
      names.some((name) =>
        (process.env[name] ?? "").split(/[\s,]+/).some((url) => isOnThisMachine(url.replace(/^[^:/]*=/, ""))),
      )
        ? service
        : [],
    );
    return good(
      local.length > 0
        ? `on this machine, stand-ins unless you run them yourself: ${local.join(", ")}`
        : "none is on this machine",
    );
  },
};

export const environment = (): Check[] => [node, variablesSet, wellFormed, secrets, places];
