import { describe, expect, it } from "vitest";
import { addressRows } from "../addresses.ts";
import { localDatabaseUrl, partsNeeded, variablesFor } from "../emulators.ts";
import { realServices } from "../real-services.ts";
import { runsFolder } from "../runs-folder.ts";
import { readSettings } from "../settings.ts";

const settings = readSettings({ NODE_ENV: "test" });
const secrets = { sequinWebhook: "s", userDeletionWebhook: "whsec_s", deletionReceipt: "k" };

function stackFor(env: Record<string, string>) {
  const parts = partsNeeded(env);
  return { parts, variables: variablesFor(parts, env, settings, secrets) };
}

const foreign = { DATABASE_URL: "postgres://app:secret@db.example.com:5432/app" };

describe("the demonstration system", () => {
  it("is notified of deletions in the local database", () => {
    expect(stackFor({}).variables.USER_DELETION_WEBHOOK_URLS).toContain("/local/external-system/");
  });

  it("is never notified of those in another", () => {
    expect(stackFor(foreign).variables.USER_DELETION_WEBHOOK_URLS).toBeUndefined();
  });
});

describe("the runs that the local Trigger.dev keeps", () => {
  const folderFor = (env: Record<string, string>) => runsFolder(settings, stackFor(env).variables);

  it("are in the data folder for the local database", () => {
    expect(folderFor({})).toBe(settings.dataDir);
    expect(runsFolder(settings, {})).toBe(settings.dataDir);
    expect(runsFolder(settings, { DATABASE_URL: localDatabaseUrl(settings) })).toBe(settings.dataDir);
  });

  it("are apart for each other database, so that none is worked on by a run of another", () => {
    const folders = [
      {},
      foreign,
      { DATABASE_URL: "postgres://app:secret@db.example.com:5432/other" },
      { DATABASE_URL: "postgres://app:secret@db.example.org:5432/app" },
    ].map(folderFor);
    expect(new Set(folders).size).toBe(4);
  });

  it("are found again when the password has changed", () => {
    expect(folderFor({ DATABASE_URL: "postgres://app:new@db.example.com:5432/app" })).toBe(
      folderFor(foreign),
    );
  });
});

describe("a service of the user's own", () => {
  const own = {
    ...foreign,
    TRIGGER_SECRET_KEY: "tr_dev_x",
    TRIGGER_PROJECT_REF: "proj_x",
    OPENAI_API_KEY: "sk-x",
    SMTP_URL: "smtp://user:secret@mail.example.com:587",
    USER_DELETION_WEBHOOK_URLS:
      "https://crm.example.com/hooks/token-1, stats=https://stats.example.com?key=token-2",
  };

  it("is linked to where a person looks at it, and only its hosts are named", () => {
    const { parts, variables } = stackFor(own);
    expect(realServices(parts, variables)).toEqual({
      trigger: { name: "cloud.trigger.dev", href: "https://cloud.trigger.dev/projects/v3/proj_x" },
      openai: { name: "OpenAI", href: "https://platform.openai.com/usage" },
      mail: { name: "mail.example.com:587" },
      externalSystem: { name: "crm.example.com, stats.example.com" },
    });
  });

  it("is linked at its own address where it is self-hosted", () => {
    const { parts, variables } = stackFor({
      ...own,
      TRIGGER_API_URL: "https://trigger.example.com",
      OPENAI_BASE_URL: "https://models.example.com/v1",
    });
    expect(realServices(parts, variables)).toMatchObject({
      trigger: { name: "trigger.example.com", href: "https://trigger.example.com/projects/v3/proj_x" },
      openai: { name: "models.example.com" },
    });
  });

  it("stands in the table of addresses, without its secrets", () => {
    const { parts, variables } = stackFor(own);
    const text = JSON.stringify(addressRows(parts, variables, settings));
    expect(text).toContain("https://cloud.trigger.dev/projects/v3/proj_x");
    expect(text).not.toMatch(/secret@|token-/);
  });

  it("is nowhere when every service is local", () => {
    const { parts, variables } = stackFor({});
    expect(realServices(parts, variables)).toEqual({});
  });
});
