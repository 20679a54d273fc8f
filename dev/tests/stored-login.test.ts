import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loginHint } from "../stored-login.ts";

const TRIGGER_API_URL = "https://trigger.example.com";
let XDG_CONFIG_HOME: string;

beforeEach(() => {
  XDG_CONFIG_HOME = mkdtempSync(join(tmpdir(), "config-"));
});

afterEach(() => rmSync(XDG_CONFIG_HOME, { recursive: true }));

function logIn(apiUrl: string): void {
  mkdirSync(join(XDG_CONFIG_HOME, "trigger"));
  const profiles = { default: { accessToken: "tr_pat_x", apiUrl } };
  const config = { version: 2, currentProfile: "default", profiles };
  writeFileSync(join(XDG_CONFIG_HOME, "trigger", "config.json"), JSON.stringify(config));
}

it("says how the CLI reaches a self-hosted server without a token or a login", () => {
  expect(loginHint({ XDG_CONFIG_HOME, TRIGGER_API_URL })).toContain(
    "TRIGGER_ACCESS_TOKEN or after `npx trigger.dev login -a https://trigger.example.com`",
  );
});

it("says it where the login is another server's", () => {
  logIn("https://api.trigger.dev");
  expect(loginHint({ XDG_CONFIG_HOME, TRIGGER_API_URL })).toBeDefined();
});

it("says nothing with a token, with a login, or for the cloud", () => {
  expect(loginHint({ XDG_CONFIG_HOME, TRIGGER_API_URL, TRIGGER_ACCESS_TOKEN: "tr_pat_x" })).toBeUndefined();
  expect(loginHint({ XDG_CONFIG_HOME })).toBeUndefined();
  logIn(`${TRIGGER_API_URL}/`);
  expect(loginHint({ XDG_CONFIG_HOME, TRIGGER_API_URL })).toBeUndefined();
});
