import { resolve } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import * as config from "@/aftercommit.config.ts";
import type { Provider } from "./declare/provider.ts";
import { defineEmbedding } from "./define.ts";
import { NAMES } from "./env/variables.ts";
import { aiSdk } from "./providers/ai-sdk.ts";
import { ollama } from "./providers/ollama.ts";
import { openaiCompatible } from "./providers/openai-compatible.ts";
import { voyage } from "./providers/voyage.ts";
import { taskVariables } from "./task-variables.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const complete = {
  DATABASE_URL: "postgres://app:s3cret@db.example.com:5432/app",
  SMTP_URL: "smtp://user:s3cret@mail.example.com:587",
  MAIL_FROM: "Example <hello@example.com>",
  USER_DELETION_WEBHOOK_URLS: "crm=https://crm.example/s3cret",
  USER_DELETION_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}`,
  OPENAI_API_KEY: "sk-s3cret",
};

const optional = {
  DIRECT_DATABASE_URL: complete.DATABASE_URL,
  PGSSLMODE: "require",
  PGSSLROOTCERT: "ca.pem",
  DATABASE_POOL_SIZE: "2",
  OPENAI_BASE_URL: "https://models.example.com/v1",
  EMBEDDING_TOKENS_PER_MINUTE: "1000",
  EMBEDDING_REQUESTS_PER_MINUTE: "10",
  EMBEDDING_TOKENS_PER_DAY: "100000",
  USER_DELETION_CONCURRENCY: "20",
};

// The names of the systems are sent along with their URLs.
const sent = Object.keys(complete).flatMap((name) =>
  name === "USER_DELETION_WEBHOOK_URLS" ? [name, "USER_DELETION_SYSTEMS"] : [name],
);

const namesOf = (variables: { name: string }[]) => variables.map(({ name }) => name);

describe("the variables that a deployment sends to Trigger.dev", () => {
  it("are those that the tasks use and that are set, and it says which without a value", () => {
    const of = [
      "SEQUIN_WEBHOOK_SECRET",
      "TRIGGER_SECRET_KEY",
      "DASHBOARD_PASSWORD",
      "VOYAGE_API_KEY",
      "HOME",
    ];
    const others = Object.fromEntries(of.map((name) => [name, "s3cret"]));
    const { variables, said } = taskVariables(config, { ...others, ...complete, ...optional });
    const names = [...sent, ...Object.keys(optional)];
    expect(namesOf(variables)).toEqual(names);
    expect(said).toEqual([`Sent to Trigger.dev for the tasks: ${names.join(", ")}`]);
    const open = variables.filter(({ isSecret }) => !isSecret);
    expect(namesOf(open)).toEqual([
      "MAIL_FROM",
      "USER_DELETION_SYSTEMS",
      "PGSSLMODE",
      "DATABASE_POOL_SIZE",
      "EMBEDDING_TOKENS_PER_MINUTE",
      "EMBEDDING_REQUESTS_PER_MINUTE",
      "EMBEDDING_TOKENS_PER_DAY",
      "USER_DELETION_CONCURRENCY",
    ]);
  });

  it("are named if they are missing, malformed or only valid on this machine, and are not sent", () => {
    const { variables, said } = taskVariables(config, {
      ...complete,
      DATABASE_URL: "postgres://app:s3cret@localhost:5432/app",
      SMTP_URL: "smtp://127.0.0.1:1025",
      OPENAI_API_KEY: " ",
      MAIL_FROM: "s3cret",
      USER_DELETION_WEBHOOK_URLS: "crm=http://[::1]:3000/s3cret",
    });
    expect(namesOf(variables)).toEqual(["USER_DELETION_WEBHOOK_SECRET"]);
    const text = said.join("\n");
    for (const name of ["DATABASE_URL", "SMTP_URL", "USER_DELETION_WEBHOOK_URLS"])
      expect(text).toContain(`Not sent to Trigger.dev: ${name} is an address of this machine only`);
    expect(text).toContain("Not sent to Trigger.dev: OPENAI_API_KEY is not set");
    expect(text).toContain("Not sent to Trigger.dev: MAIL_FROM must be");
    expect(text).not.toContain("s3cret");
  });

  const model = {
    provider: "mistral",
    modelId: "mistral-embed",
    maxEmbeddingsPerCall: 1,
    doEmbed: async () => ({ embeddings: [] }),
  };
  const tei = { name: "tei", baseURL: "http://tei", model: { name: "m", dimensions: 2 } };

  it.each<[string, Provider, string[]]>([
    ["ollama()", ollama(), []],
    ["a model of the AI SDK", aiSdk(model, { dimensions: 1_024 }), []],
    [
      "a model of the AI SDK that names its key",
      aiSdk(model, { dimensions: 1_024, variables: ["MISTRAL_API_KEY"] }),
      ["MISTRAL_API_KEY"],
    ],
    ["a server without a key", openaiCompatible(tei), []],
    ["a server with a key", openaiCompatible({ ...tei, apiKeyVariable: "TEI_KEY" }), ["TEI_KEY"]],
    ["voyage()", voyage(), ["VOYAGE_API_KEY"]],
  ])("are with %s its own, and no other provider's", (_, provider, names) => {
    const posts = defineEmbedding({
      row: "post",
      table: "public.posts",
      key: "id",
      text: ["title"],
      providers: [provider],
    });
    const keys = { MISTRAL_API_KEY: "s3cret", TEI_KEY: "s3cret", VOYAGE_API_KEY: "s3cret" };
    const { variables, said } = taskVariables({ posts }, { ...complete, ...keys });
    expect(namesOf(variables).filter((name) => name.endsWith("KEY"))).toEqual(names);
    expect(variables.filter(({ name }) => names.includes(name)).every(({ isSecret }) => isSecret)).toBe(true);
    expect(said).toHaveLength(1);
    expect(taskVariables({ posts }, complete).said.slice(1)).toEqual(
      names.map((name) => expect.stringContaining(`Not sent to Trigger.dev: ${name} is not set`)),
    );
  });

  it("need no secret if there is no system to notify", () => {
    const { said } = taskVariables(config, {
      ...complete,
      USER_DELETION_WEBHOOK_URLS: "none",
      USER_DELETION_WEBHOOK_SECRET: "",
    });
    expect(said).toHaveLength(1);
  });
});

const cli = z.object({ loadConfig: z.function({ input: [z.unknown()], output: z.unknown() }) });
const extension = z.object({
  name: z.literal("SyncEnvVarsExtension"),
  onBuildComplete: z.function({ input: [z.unknown(), z.unknown()], output: z.unknown() }),
});

describe("trigger.config.ts as the CLI loads it", () => {
  async function buildComplete(target: "dev" | "deploy") {
    const { loadConfig } = cli.parse(await import(resolve("node_modules/trigger.dev/dist/esm/config.js")));
    const config = await loadConfig({ cwd: process.cwd(), warn: false });
    const extensions = z.object({ build: z.object({ extensions: z.array(z.unknown()) }) }).parse(config);
    const sync = extension.parse(extensions.build.extensions.find((one) => extension.safeParse(one).success));
    const layers: unknown[] = [];
    const logger = { spinner: () => ({ stop() {} }), warn: (...words: unknown[]) => layers.push(words) };
    const context = { target, config, logger, addLayer: (layer: unknown) => layers.push(layer) };
    await sync.onBuildComplete(context, { deploy: { env: {} }, environment: "prod" });
    return layers;
  }

  it("sends the variables to Trigger.dev at a deployment and prints their names", async () => {
    for (const name of NAMES) vi.stubEnv(name, undefined);
    for (const [name, value] of Object.entries(complete)) vi.stubEnv(name, value);
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    const { MAIL_FROM, ...secrets } = complete;
    expect(await buildComplete("deploy")).toMatchObject([
      {
        id: "sync-env-vars",
        deploy: { env: { MAIL_FROM, USER_DELETION_SYSTEMS: "crm" }, secretEnv: secrets, override: true },
      },
    ]);
    expect(lines).toEqual([`Sent to Trigger.dev for the tasks: ${sent.join(", ")}`]);
  });

  it("sends none in development", async () => {
    expect(await buildComplete("dev")).toEqual([]);
  });
});
