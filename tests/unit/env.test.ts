import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { posts } from "../../aftercommit.config.ts";
import { neededByApp } from "../../packages/aftercommit/src/app-variables.ts";
import {
  checkEnvironment,
  declaredVariable,
  EnvironmentError,
  malformedVariables,
  optional,
  REQUIRED_BY_APP,
  REQUIRED_BY_EMBEDDING,
  required,
  USED_BY_APP,
  variables,
} from "../../packages/aftercommit/src/env/env.ts";
import { stopWithoutEnvironment } from "../../packages/aftercommit/src/stop-without-environment.ts";

const complete = {
  DATABASE_URL: "postgres://app@db.example.com:5432/app",
  SEQUIN_WEBHOOK_SECRET: "correct horse battery staple",
  TRIGGER_SECRET_KEY: "tr_dev_key",
  OPENAI_API_KEY: "sk-key",
  USER_DELETION_WEBHOOK_URLS: "none",
};

function problemOf(work: () => unknown): EnvironmentError {
  try {
    work();
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error("No EnvironmentError was thrown");
}

it("lists in .env.example exactly the variables of the product, none of them set", () => {
  const lines = readFileSync(new URL("../../.env.example", import.meta.url), "utf8").split("\n");
  const listed = lines.flatMap((line) => /^# ([A-Z][A-Z0-9_]*)=$/.exec(line)?.[1] ?? []);
  expect(listed.toSorted()).toEqual(Object.keys(variables).toSorted());
  expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
});

it.each([undefined, "", "  ", "\t\n"])("treats %j as missing", (value) => {
  expect(() => required("SEQUIN_WEBHOOK_SECRET", { SEQUIN_WEBHOOK_SECRET: value })).toThrow(EnvironmentError);
  expect(optional("SEQUIN_WEBHOOK_SECRET", { SEQUIN_WEBHOOK_SECRET: value })).toBeUndefined();
});

it("reads a value without the white space around it", () => {
  expect(required("TRIGGER_SECRET_KEY", { TRIGGER_SECRET_KEY: " tr_dev_key\n" })).toBe("tr_dev_key");
});

it("names a secret that a declaration asks for, and that is not set", () => {
  expect(declaredVariable("MISTRAL_API_KEY", { MISTRAL_API_KEY: " key\n" })).toBe("key");
  expect(() => declaredVariable("MISTRAL_API_KEY", { MISTRAL_API_KEY: " " })).toThrow(
    /^MISTRAL_API_KEY is not set$/,
  );
});

it("rejects a malformed value, required or not", () => {
  expect(() => required("DATABASE_URL", { DATABASE_URL: "mysql://db" })).toThrow(/postgres:\/\//);
  expect(() => optional("OPENAI_BASE_URL", { OPENAI_BASE_URL: "localhost:3040/v1" })).toThrow(/https\?:\/\//);
});

describe("the check at the start", () => {
  it.each([
    ["the app", REQUIRED_BY_APP],
    ["an embedding", REQUIRED_BY_EMBEDDING],
  ])("passes when all that %s needs is set", (_, needed) => {
    expect(() => checkEnvironment(needed, { source: complete })).not.toThrow();
  });

  it.each([
    ["sequin", ["SEQUIN_WEBHOOK_SECRET"]],
    ["debezium", ["DEBEZIUM_WEBHOOK_SECRET"]],
    ["supabase", ["SUPABASE_WEBHOOK_SECRET"]],
    ["capture", []],
  ] as const)("asks for the secret of the source of a declaration: %s", (from, secrets) => {
    expect(neededByApp([{ ...posts, from }])).toEqual([...REQUIRED_BY_APP, ...secrets]);
  });

  it("names every problem together, and where to get each variable", () => {
    const source = { DATABASE_URL: "mysql://db", TRIGGER_SECRET_KEY: " ", TRIGGER_API_URL: "nowhere" };
    const { message, variables: named } = problemOf(() =>
      checkEnvironment(neededByApp([posts]), { used: USED_BY_APP, source }),
    );
    expect(named).toEqual([
      "DATABASE_URL",
      "TRIGGER_SECRET_KEY",
      "USER_DELETION_WEBHOOK_URLS",
      "SEQUIN_WEBHOOK_SECRET",
      "TRIGGER_API_URL",
    ]);
    for (const name of named) expect(message).toContain(`${name} `);
    for (const [name, { where }] of Object.entries(variables))
      if (named.includes(name)) expect(message).toContain(where);
    expect(message).toContain("SEQUIN_WEBHOOK_SECRET is not set");
  });

  it("never repeats a value, which may be a secret", () => {
    const url = "mysql://root:hunter2@db";
    expect(
      problemOf(() => checkEnvironment(REQUIRED_BY_APP, { source: { DATABASE_URL: url } })).message,
    ).not.toContain("hunter2");
  });

  it("ignores a malformed variable that is not used: a bad e-mail sender stops no embedding", () => {
    const source = {
      ...complete,
      MAIL_FROM: "nobody",
      SMTP_URL: "mail.example.com",
      TRIGGER_API_URL: "nowhere",
    };
    expect(() => checkEnvironment(REQUIRED_BY_EMBEDDING, { source })).not.toThrow();
    const { variables: named } = problemOf(() =>
      checkEnvironment(REQUIRED_BY_APP, { used: USED_BY_APP, source }),
    );
    expect(named).toEqual(["TRIGGER_API_URL"]);
  });

  it("knows every malformed variable, for the log", () => {
    const source = { ...complete, MAIL_FROM: "nobody", DATABASE_POOL_SIZE: "many", EMBEDDING_MODEL: " " };
    const problems = malformedVariables(source);
    expect(problems.map(({ message }) => message.split(" ")[0])).toEqual(["DATABASE_POOL_SIZE", "MAIL_FROM"]);
  });
});

describe("the app", () => {
  function startWith(urls: string) {
    for (const [name, value] of Object.entries(complete)) vi.stubEnv(name, value);
    vi.stubEnv("USER_DELETION_WEBHOOK_URLS", urls);
    vi.stubEnv("USER_DELETION_WEBHOOK_SECRET", undefined);
    const exit = vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    try {
      stopWithoutEnvironment([]);
      return "starts";
    } catch {
      return String(error.mock.calls[0]);
    } finally {
      exit.mockRestore();
      error.mockRestore();
      vi.unstubAllEnvs();
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
