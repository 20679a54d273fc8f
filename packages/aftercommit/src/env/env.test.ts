import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { posts, users } from "@/aftercommit.config.ts";
import { missingExamples } from "../init/env-example.ts";
import { neededByApp, neededByTasks } from "../needed-variables.ts";
import { stopWithoutEnvironment } from "../stop-without-environment.ts";
import {
  checkEnvironment,
  declaredVariable,
  EnvironmentError,
  malformedVariables,
  optional,
  required,
} from "./env.ts";
import { NAMES, variables, variablesOf } from "./variables.ts";

const complete = {
  DATABASE_URL: "postgres://app@db.example.com:5432/app",
  SEQUIN_WEBHOOK_SECRET: "correct horse battery staple",
  TRIGGER_SECRET_KEY: "tr_dev_key",
  OPENAI_API_KEY: "sk-key",
  USER_DELETION_WEBHOOK_URLS: "none",
};

const USED = variablesOf("app", "optional");

/** The whole environment, as far as the product reads it. */
function set(values: Readonly<Record<string, string | undefined>>): void {
  for (const name of NAMES) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(values)) vi.stubEnv(name, value);
}

afterEach(() => vi.unstubAllEnvs());

function problemOf(work: () => unknown): EnvironmentError {
  try {
    work();
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error("No EnvironmentError was thrown");
}

describe("the table of variables", () => {
  it("is what .env.example lists", async () => {
    const head =
      "Copy this file to .env.local and set what you have. `npm run dev` starts an emulator for each service";
    const text = `# ${head}\n# that you leave out.\n\n${missingExamples("")}`;
    await expect(text).toMatchFileSnapshot("../../../../.env.example");
    expect(missingExamples(text)).toBe("");
    expect(missingExamples(text.replace("# SMTP_URL=\n", ""))).toMatch(
      /^# Your mail server.*\n# SMTP_URL=\n$/,
    );
  });

  it("is what docs/environment.md lists, below its first lines", async () => {
    const { href } = new URL("../../../../docs/environment.md", import.meta.url);
    const [head] = readFileSync(new URL(href), "utf8").split(/^\| variable/m);
    const rows = NAMES.map((name) => {
      const { usedBy, isSecret, where } = variables[name];
      const cells = [usedBy.app, usedBy.tasks, usedBy.sequin, isSecret && "yes"].map((cell) => cell || "");
      return `| \`${name}\` | ${[...cells, where.replaceAll("|", "\\|")].join(" | ")} |\n`;
    });
    const names = "| variable | app | tasks | Sequin | secret | where to get it |\n";
    const text = `${head}${names}| --- | --- | --- | --- | --- | --- |\n${rows.join("")}`;
    await expect(text).toMatchFileSnapshot("../../../../docs/environment.md");
  });

  it("is what sequin.yaml takes from it", () => {
    const yaml = readFileSync(new URL("../../../../sequin.yaml", import.meta.url), "utf8");
    const names = [...yaml.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    expect([...new Set(names)].toSorted()).toEqual(variablesOf("sequin", "required", "optional").toSorted());
  });
});

it.each([undefined, "", "  ", "\t\n"])("treats %j as missing", (value) => {
  set({ SEQUIN_WEBHOOK_SECRET: value });
  expect(() => required("SEQUIN_WEBHOOK_SECRET")).toThrow(EnvironmentError);
  expect(optional("SEQUIN_WEBHOOK_SECRET")).toBeUndefined();
});

it("reads a value without the white space around it", () => {
  set({ TRIGGER_SECRET_KEY: " tr_dev_key\n" });
  expect(required("TRIGGER_SECRET_KEY")).toBe("tr_dev_key");
});

it("names a secret that a declaration asks for, and that is not set", () => {
  expect(declaredVariable("MISTRAL_API_KEY", { MISTRAL_API_KEY: " key\n" })).toBe("key");
  expect(() => declaredVariable("MISTRAL_API_KEY", { MISTRAL_API_KEY: " " })).toThrow(
    /^MISTRAL_API_KEY is not set$/,
  );
});

it("rejects a malformed value, required or not", () => {
  set({ DATABASE_URL: "mysql://db", OPENAI_BASE_URL: "localhost:3040/v1" });
  expect(() => required("DATABASE_URL")).toThrow(/postgres:\/\//);
  expect(() => optional("OPENAI_BASE_URL")).toThrow(/https\?:\/\//);
});

describe("the check at the start", () => {
  it("passes when all that the app needs is set", () => {
    set(complete);
    expect(() => checkEnvironment(neededByApp([posts, users]))).not.toThrow();
  });

  it.each([
    ["sequin", ["SEQUIN_WEBHOOK_SECRET"]],
    ["debezium", ["DEBEZIUM_WEBHOOK_SECRET"]],
    ["supabase", ["SUPABASE_WEBHOOK_SECRET"]],
    ["capture", []],
  ] as const)("asks for the secret of the source of a declaration: %s", (from, secrets) => {
    expect(neededByApp([{ ...posts, from }])).toEqual(["DATABASE_URL", ...secrets, "TRIGGER_SECRET_KEY"]);
  });

  it("asks for the systems only where there are deletions, and for a mail server only where one has an e-mail column", () => {
    const environment = { USER_DELETION_WEBHOOK_URLS: "none" };
    expect(neededByApp([posts])).not.toContain("USER_DELETION_WEBHOOK_URLS");
    expect(neededByTasks([posts], environment)).toEqual(["DATABASE_URL", "OPENAI_API_KEY"]);
    const silent = { ...users, email: undefined };
    expect(neededByApp([posts, silent])).toContain("USER_DELETION_WEBHOOK_URLS");
    expect(neededByTasks([silent], environment)).toEqual(["DATABASE_URL", "USER_DELETION_WEBHOOK_URLS"]);
    expect(neededByTasks([users], {})).toEqual([
      "DATABASE_URL",
      "SMTP_URL",
      "MAIL_FROM",
      "USER_DELETION_WEBHOOK_URLS",
      "USER_DELETION_WEBHOOK_SECRET",
    ]);
  });

  it("names every problem together, and where to get each variable", () => {
    set({ DATABASE_URL: "mysql://db", TRIGGER_SECRET_KEY: " ", TRIGGER_API_URL: "nowhere" });
    const { message, variables: named } = problemOf(() =>
      checkEnvironment(neededByApp([posts, users]), USED),
    );
    expect(named).toEqual([
      "DATABASE_URL",
      "SEQUIN_WEBHOOK_SECRET",
      "TRIGGER_SECRET_KEY",
      "USER_DELETION_WEBHOOK_URLS",
      "TRIGGER_API_URL",
    ]);
    for (const name of named) expect(message).toContain(`${name} `);
    for (const [name, { where }] of Object.entries(variables))
      if (named.includes(name)) expect(message).toContain(where);
    expect(message).toContain("SEQUIN_WEBHOOK_SECRET is not set");
  });

  it("never repeats a value, which may be a secret", () => {
    set({ DATABASE_URL: "mysql://root:hunter2@db" });
    expect(problemOf(() => checkEnvironment(["DATABASE_URL"])).message).not.toContain("hunter2");
  });

  it("ignores a malformed variable that is not used: a bad e-mail sender stops no embedding", () => {
    set({ ...complete, MAIL_FROM: "nobody", SMTP_URL: "mail.example.com", TRIGGER_API_URL: "nowhere" });
    expect(() => checkEnvironment(["DATABASE_URL"])).not.toThrow();
    const { variables: named } = problemOf(() => checkEnvironment(neededByApp([]), USED));
    expect(named).toEqual(["TRIGGER_API_URL"]);
  });

  it("knows every malformed variable, for the log", () => {
    set({ ...complete, MAIL_FROM: "nobody", DATABASE_POOL_SIZE: "many", EMBEDDING_MODEL: " " });
    expect(malformedVariables().map(({ message }) => message.split(" ")[0])).toEqual([
      "DATABASE_POOL_SIZE",
      "MAIL_FROM",
    ]);
  });
});

describe("the app", () => {
  function startWith(urls: string) {
    set({ ...complete, USER_DELETION_WEBHOOK_URLS: urls });
    const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      stopWithoutEnvironment([users]);
      return "starts";
    } catch {
      return String(error.mock.calls[0]);
    } finally {
      exit.mockRestore();
      error.mockRestore();
    }
  }

  it("does not start until it is configured which systems to notify of a deletion", () => {
    for (const unset of ["", " "])
      expect(startWith(unset)).toContain("cannot start: USER_DELETION_WEBHOOK_URLS is not set");
    expect(startWith("https://a.example, http://a.example")).toContain("names two systems webhook:a.example");
  });

  it.each(["none", "crm=https://crm.example/hook"])("starts with %s, and needs no secret for it", (urls) => {
    expect(startWith(urls)).toBe("starts");
  });
});
