import { afterEach, expect, it, vi } from "vitest";
import { declarations, problemOf, problemsIn } from "@/tests/helpers/doctor/diagnose.ts";
import type { Provider } from "../declare/provider.ts";
import { ollama } from "../providers/ollama.ts";
import { voyage } from "../providers/voyage.ts";
import { diagnose } from "./diagnose.ts";

const complete = {
  DATABASE_URL: "postgres://app@db.example.com/app",
  SEQUIN_WEBHOOK_SECRET: "the secret of the doctor's tests",
  TRIGGER_SECRET_KEY: "tr_dev_key",
  USER_DELETION_WEBHOOK_URLS: "none",
  SMTP_URL: "smtp://mail.example.com",
  MAIL_FROM: "hello@example.com",
};

afterEach(() => vi.unstubAllEnvs());

it("environment.variables requires the variables of the declared providers, and of no others", async () => {
  const embeddedBy = (provider: Provider) =>
    declarations.map((one) => (one.kind === "embedding" ? { ...one, providers: [provider] } : one));
  const found = async (provider: Provider) =>
    problemsIn(await diagnose(embeddedBy(provider), { only: ["environment"], limitMs: 60_000 }));
  for (const [name, value] of Object.entries(complete)) vi.stubEnv(name, value);
  vi.stubEnv("OPENAI_API_KEY", "");
  expect(await found(ollama())).toEqual([]);
  const { fix } = await problemOf("environment.variables", { of: embeddedBy(voyage()) });
  expect(fix).toMatch(/^Set VOYAGE_API_KEY/);
  vi.stubEnv("VOYAGE_API_KEY", "key");
  expect(await found(voyage())).toEqual([]);
});
