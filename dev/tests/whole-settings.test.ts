import { partsNeeded } from "@aftercommit/local-stack/emulators.ts";
import { readSettings } from "@aftercommit/local-stack/settings.ts";
import { describe, expect, it } from "vitest";
import { missingHalves, requireWholeSettings } from "../whole-settings.ts";

const missing = (env: Record<string, string>) => {
  const { captures } = readSettings({ NODE_ENV: "test", ...env });
  return missingHalves(env, partsNeeded(env), captures).map(({ name }) => name);
};

const DATABASE_URL = "postgres://app@db.example.com/app";
const TRIGGER = { TRIGGER_SECRET_KEY: "tr_dev_x", TRIGGER_PROJECT_REF: "proj_x" };

describe("a service that is set by half", () => {
  it.each([
    ["TRIGGER_PROJECT_REF", { TRIGGER_SECRET_KEY: "tr_dev_x" }],
    ["TRIGGER_SECRET_KEY", { TRIGGER_API_URL: "https://trigger.example.com" }],
    ["TRIGGER_SECRET_KEY", { TRIGGER_PROJECT_REF: "proj_x" }],
    ["TRIGGER_SECRET_KEY", { TRIGGER_ACCESS_TOKEN: "tr_pat_x" }],
    ["OPENAI_API_KEY", { OPENAI_BASE_URL: "https://models.example.com/v1" }],
    ["OPENAI_API_KEY", { EMBEDDING_MODEL: "text-embedding-3-small" }],
    ["MAIL_FROM", { SMTP_URL: "smtp://mail.example.com:587" }],
    ["USER_DELETION_WEBHOOK_SECRET", { USER_DELETION_WEBHOOK_URLS: "https://crm.example.com/deleted" }],
    ["USER_DELETION_WEBHOOK_URLS", { DATABASE_URL }],
    ["SMTP_URL", { DATABASE_URL, LOCAL_CAPTURE: "on", USER_DELETION_WEBHOOK_URLS: "none" }],
  ])("names %s with %j", (name, env) => {
    expect(missing(env)).toEqual([name]);
  });

  it("takes a blank value for missing", () => {
    expect(missing({ TRIGGER_SECRET_KEY: "tr_dev_x", TRIGGER_PROJECT_REF: " " })).toEqual([
      "TRIGGER_PROJECT_REF",
    ]);
  });

  it("is named with where to get what is missing, and without any value", () => {
    const env = { TRIGGER_SECRET_KEY: "tr_dev_hunter2", SMTP_URL: "smtp://user:hunter2@mail.example.com" };
    const text = (() => {
      try {
        requireWholeSettings(env, partsNeeded(env), false);
      } catch (error) {
        return String(error);
      }
    })();
    expect(text).toContain(
      "TRIGGER_PROJECT_REF is not set, but TRIGGER_SECRET_KEY is set (Trigger.dev dashboard",
    );
    expect(text).toContain("MAIL_FROM is not set, but SMTP_URL is set (The sender");
    expect(text).not.toContain("hunter2");
  });
});

describe("the key of a deployment", () => {
  it.each(["tr_prod_x", "tr_stg_x", "tr_preview_x"])(
    "%s is refused: its runs would be those of deployed tasks",
    (key) => {
      const env = { ...TRIGGER, TRIGGER_SECRET_KEY: key };
      expect(() => requireWholeSettings(env, partsNeeded(env), false)).toThrow(
        /takes the one of Development/,
      );
    },
  );

  it("of development is taken", () => {
    expect(() => requireWholeSettings(TRIGGER, partsNeeded(TRIGGER), false)).not.toThrow();
  });
});

describe("a service that is set as a whole, or not at all", () => {
  it.each<Record<string, string>>([
    {},
    TRIGGER,
    { ...TRIGGER, TRIGGER_API_URL: "https://trigger.example.com", TRIGGER_ACCESS_TOKEN: "tr_pat_x" },
    { OPENAI_API_KEY: "sk-x" },
    { OPENAI_API_KEY: "any", OPENAI_BASE_URL: "https://models.example.com/v1", EMBEDDING_MODEL: "m" },
    { SMTP_URL: "smtp://mail.example.com", MAIL_FROM: "a@example.com" },
    { MAIL_FROM: "a@example.com" },
    { DATABASE_URL, USER_DELETION_WEBHOOK_URLS: "none" },
    {
      DATABASE_URL,
      LOCAL_CAPTURE: "on",
      USER_DELETION_WEBHOOK_URLS: "none",
      SMTP_URL: "smtp://mail.example.com",
      MAIL_FROM: "a@example.com",
    },
    { LOCAL_CAPTURE: "on" },
    { USER_DELETION_WEBHOOK_URLS: "https://crm.example.com", USER_DELETION_WEBHOOK_SECRET: "whsec_x" },
  ])("%j is enough", (env) => {
    expect(missing(env)).toEqual([]);
  });

  it("that is not OpenAI needs no key of OpenAI, whatever model is named", () => {
    const env = { EMBEDDING_MODEL: "nomic-embed-text" };
    const parts = partsNeeded(env).filter((part) => part !== "openai");
    expect(missingHalves(env, parts, false)).toEqual([]);
  });
});
